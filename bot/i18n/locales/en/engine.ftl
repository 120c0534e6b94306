# What the engine answers; most of it is for those who run the bot.

busy = Too many pictures are being painted right now. Please ask again in about { $seconds } s.
painter-failed = The painter failed on this one. Please try again.
painter-closing = The painter is shutting down. Please try again in a moment.
model-gone = Model { $name } is not available any more.
model-refused = The model cannot be used: { $why }.
model-does-not-run = Model { $name } does not run: { $why }
model-not-finite = Model { $name }: { $file } gives no finite scores.
model-wrong-output = Model { $name }: { $file } makes { $made }, where its manifest says { $said }.
model-no-cuda = engine.provider is cuda, but ONNX Runtime cannot use CUDA ({ $why }): install the extra 'cuda', or set engine.provider to auto.
