"""Each line of the README's "Delivery guarantees" has its tests in tests/README.md; they exist."""

import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ["WSROUTER_SOURCE_DIR"])


def table(path, heading):
    """The rows of the first table below a heading, each a list of cells."""
    text = (ROOT / path).read_text()
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return rows[0], rows[2:]


def found(pattern, *globs):
    texts = (path.read_text() for glob in globs for path in ROOT.glob(glob))
    return {match for text in texts for match in re.findall(pattern, text)}


class Tests:
    """The names of all tests, as the table spells them."""

    def __init__(self):
        macros = found(r"\nTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", "tests/**/*.cc")
        self.names = {f"{suite}.{name}" for suite, name in macros}
        for path in ROOT.glob("tests/e2e/*.py"):
            self.names |= {f"{path.name} {name}"
                           for name in re.findall(r"def (test_\w+)\(", path.read_text())}
        for path in ROOT.glob("client/js/test/*.test.js"):
            self.names |= {f"{path.name} {title}"
                           for title in re.findall(r'\btest\(\s*"([^"\n]+)"', path.read_text())}

    def faults(self, shown_by):
        """What is wrong with a cell of the column `shown by`."""
        if re.match(r"not shown: \w", shown_by):
            return []
        names = re.findall(r"`([^`]+)`", shown_by)
        missing = [f"there is no test `{name}`" for name in names if name not in self.names]
        return missing or ([] if names else ["no test is named"])


class GuaranteesTest(unittest.TestCase):
    def test_each_line_names_tests_that_exist(self):
        head, lines = table("README.md", "Delivery guarantees")
        promised = {(line[0], kind) for line in lines for kind in head[1:]}
        _, rows = table("tests/README.md", "What shows the delivery guarantees")
        shown = [(row[0], row[1]) for row in rows]
        self.assertGreater(len(promised), 30)
        self.assertEqual(sorted(promised), sorted(shown))
        tests = Tests()
        for fault, kind, shown_by in rows:
            self.assertEqual([], tests.faults(shown_by), f"{fault}, {kind}")

    def test_a_name_that_is_no_test_is_found(self):
        tests = Tests()
        self.assertEqual([], tests.faults("`GatewayResumeTest.WhoStaysAwayTooLongHasGone`"))
        self.assertEqual([], tests.faults("`cluster_test.py test_every_node_answers_for_all`"))
        for name in ("GatewayResumeTest.WhoStaysAway", "cluster_test.py test_nothing",
                     "browser.test.js nobody talks", "GuaranteesTest.faults"):
            self.assertEqual([f"there is no test `{name}`"], tests.faults(f"`{name}`"))
        self.assertEqual(["no test is named"], tests.faults("certainly"))
        self.assertEqual(["no test is named"], tests.faults("not shown"))


if __name__ == "__main__":
    unittest.main()
