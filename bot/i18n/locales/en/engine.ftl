# Errors of the engine; most of them are for operators.

busy = Too many pictures are waiting. Please try again in about { $seconds } s.
painter-failed = Painting failed. Please try again.
painter-closing = The bot is shutting down. Please try again in a moment.
model-gone = Model { $name } is no longer available.
model-refused = The model cannot be used: { $why }
model-does-not-run = Model { $name } does not run: { $why }
model-not-finite = Model { $name }: { $file } returns no finite scores.
model-wrong-output = Model { $name }: { $file } returns { $made }, but its manifest says { $said }.
model-no-cuda = engine.provider is cuda, but ONNX Runtime cannot use CUDA ({ $why }): install the extra 'cuda', or set engine.provider to auto.
model-too-slow = Model { $name } did not load and paint a first batch within { $seconds } s. On a slow machine raise engine.load_seconds.
