#!/usr/bin/env python3
"""Writes CONFIGURATION.md, the reference of all configuration keys, from config.proto's comments and
options. With --check it writes nothing and fails where the file is not what it would write."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROTOS = ROOT / "proto" / "wsrouter" / "v1"
REFERENCE = ROOT / "server" / "CONFIGURATION.md"

INTRODUCTION = """# Configuration

Written by `server/config_reference.py` from `proto/wsrouter/v1/config.proto`; a test compares the two.

Each key is set by its default, the YAML file of `--config`, the environment and `--set key=value`, each of
which overrides the one before. A value out of its range, or an unknown key, is refused with one line that
names it, exit code 2. In the environment and behind `--set` the elements of a list are separated by commas.
Keys marked *SIGHUP* have their new value as soon as the node reads its configuration again; the others wait
for the next start.
"""

WORD = r"[A-Za-z_][A-Za-z0-9_.]*"
BLOCK = re.compile(rf"^(message|enum) ({WORD}) {{$")
FIELD = re.compile(rf"^(repeated )?({WORD}) ({WORD}) = (\d+)\s*(?:\[\(key\) = {{(.*)}}\])?;$", re.S)
VALUE = re.compile(rf"^({WORD}) = \d+;$")
OPTION = re.compile(r'(\w+): ("(?:[^"\\]|\\.)*"|\w+)')

TYPES = {"string": "text", "bool": "true or false", "google.protobuf.Duration": "duration",
         "uint32": "number", "uint64": "number"}


class Field:
    def __init__(self, match, comment):
        repeated, self.type, self.name, _, options = match.groups()
        self.repeated = bool(repeated)
        self.options = {name: value.strip('"') for name, value in OPTION.findall(options or "")}
        self.is_section = options is None
        self.comment = comment


def statements(lines):
    """The statements of a block, each with the comment above it."""
    comment, statement = [], ""
    for line in lines:
        line = line.strip()
        if not statement and line.startswith("//"):
            comment.append(line[2:].strip())
        elif not line:
            comment = []
        else:
            statement = f"{statement} {line}".strip()
            if statement.endswith(";"):
                yield statement, " ".join(comment)
                comment, statement = [], ""


def read(text):
    """Messages and enums by name: (comment, lines) and the values that can be written."""
    messages, enums = {}, {}
    comment, block, body = [], None, []
    for line in text.splitlines():
        if block is None:
            opened = BLOCK.match(line)
            if opened:
                block, body, above = opened, [], " ".join(comment)
            comment = comment + [line[2:].strip()] if line.startswith("//") else []
        elif line != "}":
            body.append(line)
        else:
            kind, name = block.groups()
            if kind == "enum":
                values = [VALUE.match(said).group(1) for said, _ in statements(body)]
                prefix = len(values[0]) - len("UNSPECIFIED")
                enums[name] = [value[prefix:].lower() for value in values[1:]]
            else:
                messages[name] = (above, body)
            block = None
    return messages, enums


def fields_of(lines):
    return [Field(FIELD.match(said), about) for said, about in statements(lines)]


def bounds(field):
    low, high = field.options.get("min"), field.options.get("max")
    if low is None and high is None:
        return None
    span = f"{low} to {high}" if low is not None and high is not None else (
        f"up to {high}" if low is None else f"at least {low}")
    if field.repeated:
        return f"{span} elements"
    return f"{span} octets" if field.type == "string" else span


def entry(path, field, enums):
    if not field.comment:
        sys.exit(f"{path} has no comment")
    if field.type in enums:
        kind = "one of " + ", ".join(f"`{value}`" for value in enums[field.type])
    elif field.options.get("format") == "CONFIG_FORMAT_BYTES":
        kind = "octets"
    else:
        kind = TYPES[field.type]
    default = field.options.get("default_value", "false" if field.type == "bool" else "")
    facts = [f"list of {kind}s" if field.repeated else kind,
             f"default `{default}`" if default else "default empty", bounds(field),
             f"`WSROUTER_{path.replace('.', '_').upper()}`",
             "secret" if field.options.get("secret") == "true" else None,
             "SIGHUP" if field.options.get("reloadable") == "true" else None]
    return f"### {path}\n\n*{' · '.join(fact for fact in facts if fact)}*\n\n{field.comment}\n"


def section(path, name, messages, enums):
    comment, lines = messages[name]
    fields = fields_of(lines)
    parts = [f"## {path}\n\n{comment}\n"]
    parts += [entry(f"{path}.{field.name}", field, enums)
              for field in fields if not field.is_section]
    for field in fields:
        if field.is_section:
            parts += section(f"{path}.{field.name}", field.type, messages, enums)
    return parts


def reference():
    # Of the API's messages nothing is written; keys may have its enums.
    text = "\n".join((PROTOS / name).read_text(encoding="utf-8")
                     for name in ("router.proto", "config.proto"))
    messages, enums = read(text)
    parts = [INTRODUCTION]
    for field in fields_of(messages["Config"][1]):
        parts += section(field.name, field.type, messages, enums)
    return "\n".join(parts)


def main():
    text = reference()
    if "--check" not in sys.argv[1:]:
        REFERENCE.write_text(text, encoding="utf-8")
    elif not REFERENCE.exists() or REFERENCE.read_text(encoding="utf-8") != text:
        sys.exit(f"{REFERENCE} is not what config.proto says: run {__file__}")


main()
