"""Files outside the repository that some tests need; see the marker `external_data`."""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("TEST_DATA_DIR") or Path(__file__).parents[2] / "shared")
DISCORD_OPENAPI = FOLDER / "discord" / "openapi.json"
REAL_FACES = FOLDER / "data" / "faces64.zip"
