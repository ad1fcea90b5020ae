import dataclasses
import os

import boto3
import botocore.exceptions
import psutil
import pytest

from hokusai.errors import ConfigurationError
from hokusai.stack import start_s3

MIB = 1 << 20


@pytest.fixture(scope="module")
def s3(s3_server):
    client = s3_server.client()
    yield client
    client.close()


def test_gives_back_what_was_put(s3):
    s3.put_object(Bucket="hokusai", Key="folder/a.bin", Body=b"\x00wave\xff")
    assert s3.get_object(Bucket="hokusai", Key="folder/a.bin")["Body"].read() == b"\x00wave\xff"
    part = s3.get_object(Bucket="hokusai", Key="folder/a.bin", Range="bytes=1-4")
    assert part["Body"].read() == b"wave"


def test_lists_by_prefix_past_one_page(s3):
    for number in range(7):
        s3.put_object(Bucket="hokusai", Key=f"listed/{number}", Body=b"x")
    pages = list(
        s3.get_paginator("list_objects_v2").paginate(
            Bucket="hokusai", Prefix="listed/", PaginationConfig={"PageSize": 3}
        )
    )
    assert [len(page["Contents"]) for page in pages] == [3, 3, 1]
    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"listed/{n}" for n in range(7)]


def test_takes_a_multipart_upload(s3):
    upload = s3.create_multipart_upload(Bucket="hokusai", Key="large.bin")["UploadId"]
    bodies = [os.urandom(5 * MIB), os.urandom(5 * MIB), b"the end"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket="hokusai", Key="large.bin", UploadId=upload, PartNumber=number, Body=body
            )["ETag"],
        }
        for number, body in enumerate(bodies, start=1)
    ]
    s3.complete_multipart_upload(
        Bucket="hokusai", Key="large.bin", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert s3.get_object(Bucket="hokusai", Key="large.bin")["Body"].read() == b"".join(bodies)


def test_a_bucket_stays_when_its_last_object_goes(s3):
    s3.create_bucket(Bucket="emptied")
    s3.put_object(Bucket="emptied", Key="only/one", Body=b"x")
    s3.delete_object(Bucket="emptied", Key="only/one")
    assert "emptied" in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"secret_key": "guessed"}, "SignatureDoesNotMatch"),
        ({"access_key": "stranger"}, "InvalidAccessKeyId"),
    ],
)
def test_refuses_a_wrong_key(s3_server, wrong, code):
    stranger = dataclasses.replace(s3_server, **wrong).client()
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        stranger.list_buckets()
    stranger.close()
    assert caught.value.response["Error"]["Code"] == code


def test_is_reached_through_its_environment_alone(s3, s3_server, monkeypatch):
    for name, value in s3_server.env().items():
        monkeypatch.setenv(name, value)
    s3.put_object(Bucket="hokusai", Key="by-env", Body=b"found")
    client = boto3.session.Session().client("s3")
    assert client.get_object(Bucket="hokusai", Key="by-env")["Body"].read() == b"found"
    assert client.get_object(Bucket="hokusai", Key="by-env", Range="bytes=1-2")["Body"].read() == b"ou"
    client.close()


def test_does_not_show_its_secret(s3_server):
    assert s3_server.secret_key not in repr(s3_server)
    ours = psutil.Process().children(recursive=True)
    assert not any(s3_server.secret_key in " ".join(child.cmdline()) for child in ours)


def test_with_a_folder_objects_and_key_outlive_the_server(tmp_path):
    with start_s3(folder=tmp_path / "s3", buckets=["one", "two"]) as first:
        assert first.uri("x", bucket="two") == "s3://two/x"
        client = first.client()
        client.put_object(Bucket="two", Key="kept", Body=b"yes")
        client.close()
    with start_s3(folder=tmp_path / "s3", buckets=["two"]) as second:
        client = second.client()
        assert client.get_object(Bucket="two", Key="kept")["Body"].read() == b"yes"
        client.close()
    assert second.secret_key == first.secret_key
    assert (tmp_path / "s3" / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["ab", "Upper", "-x-", "a/../b", "under_score"])
def test_refuses_a_name_that_no_bucket_can_have(name):
    with pytest.raises(ConfigurationError, match="cannot be a bucket's name"):
        start_s3(buckets=[name])
