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
model-no-ray = engine.backend is ray, but the package { $module } is missing: install the extra 'cluster'.
model-no-cluster = engine.backend is ray, but there is no Ray cluster at { $address } ({ $why }): start Ray on this machine, or set engine.ray_address.
model-not-deployed = The Ray cluster has no replicas of the bot ({ $why }): start them with python -m bot deploy.
model-no-replica = No replica on the Ray cluster can be used: { $why }
