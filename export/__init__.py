"""Models: the contract between training and serving, and the conversion to ONNX."""

import os

# ONNX Runtime reads this when it is imported; its builds since 1.31 report usage to Microsoft.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
