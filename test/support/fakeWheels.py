"""Tiny wheels of the pinned packages, so that real pip makes a real environment in seconds: fakeWheels.py OUT REQUIREMENTS."""
import hashlib
import re
import sys
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

TORCH = """
class _Cuda:
    @staticmethod
    def is_available(): return True
    @staticmethod
    def device_count(): return 1
    @staticmethod
    def get_device_properties(i):
        class P: name = "Test Card"; total_memory = 24 * 2**30
        return P
class _Version: hip = None
cuda, version = _Cuda, _Version
"""


def write_wheel(folder: Path, name: str, version: str, code: str) -> None:
    """One pure wheel, laid out as a simple index wants it: OUT/<name>/<file>."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digest = lambda text: urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    record = "".join(f"{path},sha256={digest(text)},{len(text.encode())}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    file = f"{module}-{version}-py3-none-any.whl"
    place = folder / name
    place.mkdir(parents=True)
    with zipfile.ZipFile(place / file, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    (place / "index.html").write_text(f'<a href="{file}">{file}</a>')


out, requirements = Path(sys.argv[1]), Path(sys.argv[2])
for line in (requirements / "packages.txt").read_text().splitlines():
    if match := re.match(r"([\w-]+)==([\d.]+)", line):
        write_wheel(out, match[1], match[2], TORCH if match[1] == "torch" else "")
