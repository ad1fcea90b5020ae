"""Presidio's pattern recognisers over a file of texts; run by bench_pii.py in an environment of its own.

No language model runs (the no-op engine), and the list of public suffixes that comes with tldextract is used, so that
nothing asks the network.

    python presidio_peer.py TEXTS.json RESULT.json REGIONS
"""

from __future__ import annotations

import json
import sys
import time
from importlib.resources import files
from pathlib import Path

import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

ENTITIES = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "US_SSN": "national_id",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "CRYPTO": "crypto_address",
}
LEAST_SCORE = 0.4


def main(texts_path: str, result_path: str, regions: str) -> None:
    """Analyse every text; write the spans of each and the CPU seconds of all."""
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    engine = NlpEngineProvider(
        conf_file=str(files("presidio_analyzer") / "conf" / "no_op.yaml")
    ).create_engine()
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(nlp_engine=engine, languages=["en"])
    registry.remove_recognizer("PhoneRecognizer")
    registry.add_recognizer(PhoneRecognizer(supported_regions=regions.split(",")))
    analyzer = AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["en"])
    seconds, spans = {}, {}
    for name, texts in json.loads(Path(texts_path).read_text("utf-8")).items():
        analyzer.analyze(text="warm up", language="en", entities=list(ENTITIES))
        begin = time.process_time()
        found = [
            analyzer.analyze(text=text, language="en", score_threshold=LEAST_SCORE, entities=list(ENTITIES))
            for text in texts
        ]
        seconds[name] = time.process_time() - begin
        spans[name] = [[(each.start, each.end, ENTITIES[each.entity_type]) for each in row] for row in found]
    Path(result_path).write_text(json.dumps({"seconds": seconds, "spans": spans}), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
