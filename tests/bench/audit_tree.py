"""How long does an audit of a large tree take?

    python tests/bench/audit_tree.py [--files 5000] [--connectors 60]

A tree is made in a temporary folder, with git: connectors of eight files each in Python and TypeScript, the rest
ordinary code of some hundred lines, and a hundred commits that change connectors. The figure is the wall time of one
audit, and files in a second.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from pytest_connproof import audit

PYTHON = """\
import time
import requests

BASE_URL = "https://api.{name}.com/v1"


class {Name}{part}:
    def __init__(self, token):
        self.token = token

    def get(self, path, params=None):
        for attempt in range(5):
            headers = {{"Authorization": f"Bearer {{self.token}}"}}
            response = requests.get(f"{{BASE_URL}}{{path}}", headers=headers, params=params)
            if response.status_code == 429:
                time.sleep(int(response.headers.get("Retry-After", "1")))
                continue
            return response.json()

    def rows_{part}(self):
        cursor = None
        while True:
            page = self.get("/rows{part}", {{"cursor": cursor}})
            for row in page["results"]:
                yield self.mapped(row)
            cursor = page.get("next_cursor")
            if not cursor:
                return
"""
TYPESCRIPT = """\
import axios from "axios";
const client = axios.create({{ baseURL: "https://api.{name}.com/v1", headers: {{ "X-Api-Key": process.env.KEY }} }});
export async function rows{part}(): Promise<Row[]> {{
  const all: Row[] = [];
  for (let offset = 0; ; offset += 50) {{
    const {{ data }} = await client.get("/rows{part}", {{ params: {{ offset, limit: 50 }} }});
    all.push(...data.items);
    if (data.items.length < 50) return all;
  }}
}}
"""
FILLING_PYTHON = '''
    def step_{n}(self, row, other=None):
        """Turn a row into another."""
        if row.get("kind_{n}") is None:
            name = f"{{row['first']}} {{row['last']}}"
            return {{"id": row["id"], "name": name, "total": sum(x * {n} for x in row["all"])}}
        return [one for one in row["children"] if one["parent"] != other and one["state"] == "open"]
'''
FILLING_TYPESCRIPT = """
export function step{n}(row: Row, other?: Row): Row[] {{
  if (row.kind === undefined) {{
    return [{{ id: row.id, name: `${{row.first}} ${{row.last}}`, total: row.all.reduce((a, b) => a + b * {n}, 0) }}];
  }}
  return row.children.filter((one) => one.parent !== other && one.state === "open");
}}
"""
_STEPS = 18


def main() -> None:
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--files", type=int, default=5_000)
    said.add_argument("--connectors", type=int, default=60)
    said.add_argument("--commits", type=int, default=100)
    given = said.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = tree(root, files=given.files, connectors=given.connectors)
        history(root, made, commits=given.commits)
        before = time.perf_counter()
        document = audit.take(root, since="10.years", progress=lambda *_: None)
        taken = time.perf_counter() - before
    totals = document["totals"]
    print(
        f"{document['files']} files, {document['lines']} lines, {document['history']['everything']['commits']} commits"
    )
    print(f"{totals['connectors']} connectors in {totals['files']} files, {totals['functions']} functions")
    print(f"{taken:.1f} s, {document['files'] / taken:.0f} files in a second")


def tree(root: Path, *, files: int, connectors: int) -> list[Path]:
    """Write the tree; the files of connectors."""
    made = []
    for number in range(files):
        python = number % 2 == 0
        end, filling = (".py", FILLING_PYTHON) if python else (".ts", FILLING_TYPESCRIPT)
        if number < connectors * 8:
            name = f"vendor{chr(97 + number // 8 // 26)}{chr(97 + number // 8 % 26)}crm"
            template = PYTHON if python else TYPESCRIPT
            text = template.format(name=name, Name=name.title(), part=number % 8)
            path = root / "integrations" / name / f"part{number % 8}{end}"
            made.append(path)
        else:
            text = "class Steps:\n" if python else 'import { Row } from "./rows";\n'
            path = root / "app" / f"area{number % 50}" / f"module{number}{end}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "".join(filling.format(n=n) for n in range(_STEPS)), encoding="utf-8")
    return made


def history(root: Path, paths: list[Path], *, commits: int) -> None:
    """Commit the tree, then change one connector file after another."""
    git = [
        "git",
        "-C",
        str(root),
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    subprocess.run([*git, "init", "-q"], check=True)
    for number in range(commits + 1):
        if number:
            path = paths[number * 7 % len(paths)]
            path.write_text(
                path.read_text(encoding="utf-8").replace("50", "60").replace("429", "503"), encoding="utf-8"
            )
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", f"Change {number}"], check=True)


if __name__ == "__main__":
    main()
