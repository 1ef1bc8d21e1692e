"""The tree keeps its layers, and the check sees each kind of fault."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import layers  # noqa: E402

PAGE = """
| line | module | job | libraries |
|---|---|---|---|
| 1 | `base` | results | simdjson |
| 2 | `store` | bytes | |
| 2 | `fhir` | resources | zlib |
| 3 | `engine` | SQL | DuckDB |
"""


class Layers(unittest.TestCase):
    def faults(self, files, page=PAGE):
        """Faults of a tree with one empty header per module, and `files` on top."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            empty = {f"src/{m}/{m}.h": "" for m in ("base", "store", "fhir", "engine")}
            for name, text in {**empty, "docs/ARCHITECTURE.md": page, **files}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return layers.check(root)

    def assert_one(self, faults, *words):
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])

    def test_the_project_keeps_its_layers(self):
        self.assertEqual(layers.check(ROOT), [])

    def test_the_project_has_modules(self):
        self.assertGreater(len(layers.read_table((ROOT / "docs/ARCHITECTURE.md").read_text())), 5)

    def test_what_is_allowed(self):
        self.assertEqual(self.faults({"src/engine/scan.cc": (
            '#include <duckdb.h>\n#include <fmt/format.h>\n#include <vector>\n#include <sys/stat.h>\n'
            '#include "base/base.h"\n#include "fhir/fhir.h"\n#include "engine/scan_internal.h"\n')}), [])
        self.assertEqual(self.faults({"src/fhir/fhir_test.cc": "#include <gtest/gtest.h>\n"}), [])

    def test_a_line_below(self):
        self.assert_one(self.faults({"src/base/x.cc": '\n#include "engine/engine.h"\n'}),
                        "src/base/x.cc:2", "engine is not on a line above base")

    def test_a_sibling(self):
        self.assert_one(self.faults({"src/store/x.h": '#include "fhir/fhir.h"\n'}), "fhir is not on a line above store")

    def test_a_test_is_no_exception(self):
        self.assert_one(self.faults({"src/store/x_test.cc": '#include "fhir/fhir.h"\n'}), "store/x_test.cc:1")

    def test_internal_header_of_another_module(self):
        self.assert_one(self.faults({"src/engine/x.cc": '#include "base/tree_internal.h"\n'}), "internal to base")

    def test_library_outside_its_module(self):
        for header in ("<duckdb.h>", '"duckdb.h"', "<simdjson.h>", "<zlib.h>", "<openssl/evp.h>", "<CLI/CLI.hpp>"):
            with self.subTest(header):
                self.assert_one(self.faults({"src/store/x.cc": f"#include {header}\n"}), "may know of")

    def test_test_library_in_the_product(self):
        self.assert_one(self.faults({"src/store/x.cc": "#include <gtest/gtest.h>\n"}), "GoogleTest")

    def test_test_header_in_the_product(self):
        self.assertEqual(self.faults({"src/store/x_fixture.h": "#include <gtest/gtest.h>\n",
                                      "src/store/x_test.cc": '#include "store/x_fixture.h"\n'}), [])
        self.assert_one(self.faults({"src/store/x.cc": '#include "store/x_fixture.h"\n'}), "belongs to the tests")

    def test_unknown_library(self):
        self.assert_one(self.faults({"src/store/x.cc": "#include <folly/Range.h>\n"}), "no known library")

    def test_header_without_module(self):
        self.assert_one(self.faults({"src/store/x.cc": '#include "store.h"\n'}), "module/header.h")

    def test_folder_without_row_and_row_without_folder(self):
        self.assert_one(self.faults({"src/serve/serve.h": ""}), "src/serve", "no row")
        self.assert_one(self.faults({}, PAGE + "| 4 | `lake` | tables | |\n"), "lake", "no folder")

    def test_unknown_library_in_the_table(self):
        self.assert_one(self.faults({}, PAGE.replace("zlib", "zlob")), "unknown library zlob")


if __name__ == "__main__":
    unittest.main()
