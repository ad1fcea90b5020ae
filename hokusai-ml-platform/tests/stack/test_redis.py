import socket

import psutil
import pytest
import redis

from hokusai.errors import ConfigurationError
from hokusai.stack import RedisServer, start_redis


def test_keeps_what_a_client_sets(redis_server):
    with redis.Redis(redis_server.host, redis_server.port) as client:
        assert client.set("greeting", "hello", ex=60)
        assert client.get("greeting") == b"hello"
        assert 0 < client.ttl("greeting") <= 60


def test_is_reached_through_its_url_and_its_environment(redis_server):
    env = redis_server.env()
    with (
        redis.from_url(redis_server.url) as by_url,
        redis.Redis(env["REDIS_HOST"], int(env["REDIS_PORT"])) as by_env,
    ):
        assert by_url.info("server")["run_id"] == by_env.info("server")["run_id"]


def test_listens_on_this_machine_only_and_writes_nothing_to_disk(redis_server):
    with redis.Redis(redis_server.host, redis_server.port) as client:
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("save")["save"] == ""
        assert client.config_get("appendonly")["appendonly"] == "no"


def test_stop_ends_it_and_removes_its_folder():
    running = start_redis()
    process, folder = psutil.Process(running.process.pid), running.process.log_path.parent
    assert process.name() == "redis-server"
    running.stop()
    assert not process.is_running()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((running.server.host, running.server.port))


def test_with_a_folder_the_data_outlive_the_server(tmp_path):
    with start_redis(folder=tmp_path / "redis") as server, redis.from_url(server.url) as client:
        client.set("kept", "yes")
    with start_redis(folder=tmp_path / "redis") as server, redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


def test_takes_the_port_it_is_given_or_says_why_not(redis_server):
    with start_redis() as other:
        port = other.port
    with start_redis(port=port) as server:
        assert server == RedisServer("127.0.0.1", port)
    with pytest.raises(ConfigurationError, match=f"Port {redis_server.port}"):
        start_redis(port=redis_server.port)
