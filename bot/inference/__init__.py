import export.manifest  # noqa: F401  # switches off the telemetry of ONNX Runtime before its import
