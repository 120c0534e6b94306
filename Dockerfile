# The bot without training: no PyTorch, and ONNX Runtime for the CPU instead of its GPU build.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY config config
COPY db db
COPY export export
RUN sed -i 's/"onnxruntime-gpu>=/"onnxruntime>=/' pyproject.toml && \
    python -m venv /opt/irodori && \
    /opt/irodori/bin/pip install --no-cache-dir '.[postgres]'
# What browsers need to paint by themselves. In another folder, so that it is installed with the bot.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends npm && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /
RUN /opt/irodori/bin/python -m bot web-runtime

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /data irodori && \
    install --directory --owner irodori --mode 0750 /data
COPY --from=build /opt/irodori /opt/irodori
WORKDIR /app
COPY models models
ENV PATH=/opt/irodori/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    IRODORI_WEB__HOST=0.0.0.0 \
    IRODORI_WEB__PORT=8080 \
    IRODORI_DB__URL=sqlite+aiosqlite:////data/irodori.db \
    IRODORI_DB__BACKUP_DIR=/data/backups
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"IRODORI_WEB__PORT\"]}/healthz', timeout=8)"]
CMD ["python", "-m", "bot"]
