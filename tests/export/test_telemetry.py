"""ONNX Runtime reports no usage."""

import os
import subprocess
import sys

import pytest

# Prints the variable at the moment when ONNX Runtime is imported.
WATCH = """
import os, sys

class Watch:
    def find_spec(self, name, *rest):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))

sys.meta_path.insert(0, Watch())
import {module}
"""


@pytest.mark.parametrize(
    "module", ["bot.inference.model", "bot.inference.upscaler_choice", "export.scorer"]
)
def test_telemetry_is_switched_off_before_the_import(module: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    printed = subprocess.run(
        [sys.executable, "-c", WATCH.format(module=module)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "1\n"
