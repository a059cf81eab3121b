"""Puts the files that pages load from npm packages into the ignored folder `functions/static/vendor`.

    python -m local.assets

They are part of what is deployed, so that no page asks another server for anything.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from local import npm

ROOT = Path(__file__).resolve().parent.parent
HOME, VENDOR = ROOT / ".tools" / "web", ROOT / "functions" / "static" / "vendor"

# What a page loads, by its place among the packages.
FILES: Mapping[str, str] = {
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.LICENSE": "swagger-ui-dist/LICENSE",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "uplot.LICENSE": "uplot/LICENSE",
}


def install(vendor: Path = VENDOR) -> None:
    """Installs the locked packages and copies what pages load of them; what is there already stays."""
    packages = npm.install(ROOT / "web", HOME)
    vendor.mkdir(parents=True, exist_ok=True)
    for name, path in FILES.items():
        source, target = packages / path, vendor / name
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            shutil.copyfile(source, target)


if __name__ == "__main__":
    install()
