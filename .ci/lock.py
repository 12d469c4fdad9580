"""Pin what is installed: `requirements.lock` from the needs in pyproject.toml and the versions in this venv.

Made from the installed distributions' own metadata rather than by a resolver, so it needs no network and names
no index address. Run it with `make lock` after installing what pyproject.toml asks for.
"""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [need for needs in project.get("optional-dependencies", {}).values() for need in needs]
    waiting = [Requirement(text) for text in [*project["dependencies"], *extras]]
    seen: set[tuple[str, str]] = set()
    pins: dict[str, str] = {}
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        found = distribution(need.name)
        if need.specifier and not need.specifier.contains(found.version, prereleases=True):
            raise SystemExit(f"{name} {found.version} is installed, but {need} is needed")
        pins[name] = found.version
        for extra in ("", *need.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                for text in found.requires or ():
                    inner = Requirement(text)
                    if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                        waiting.append(inner)
    lines = [f"{name}=={version}" for name, version in sorted(pins.items())]
    (ROOT / "requirements.lock").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
