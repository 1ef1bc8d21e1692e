#include "base/mutation_fixture.h"
#include "fhir/decode.h"
#include "fhir/decode_fixture.h"

namespace vitalake::fhir {
namespace {

const std::vector<std::string> kJsonWords = {"{", "}", "[",  "]",  "\"",
                                             ",", ":", "\n", "\\", "null"};

size_t NonBlankLines(std::string_view text) {
  size_t count = 0;
  bool blank = true;
  for (const char c : text) {
    if (c == '\n') {
      count += !blank;
      blank = true;
    } else if (std::string_view(" \t\r").find(c) == std::string_view::npos) {
      blank = false;
    }
  }
  return count + !blank;
}

// Lines that begin with an object that is no Bundle are one record each, whatever is in them.
TEST(Mutation, OfLinesKeepsOneRecordPerLine) {
  JsonParser parser;
  const std::string text =
      "{\"a\":[1,{\"b\":\"x\"}]}\r\n{\"resourceType\":\"Patient\"}\n\n{\"c\":null}\n";
  Mutations({text}, kJsonWords).ForEach(20'000, [&](std::string_view changed) {
    const std::string mutated = "{\"first\":1}\n{}\n" + std::string(changed);
    size_t arrays = 0;  // a line that begins with '[' may hold any number
    for (size_t at = 0; (at = mutated.find_first_not_of(" \t\r\n", at)) != std::string::npos;) {
      arrays += mutated[at] == '[';
      at = mutated.find('\n', at);
    }
    if (arrays > 0 || mutated.find("\n\xef\xbb\xbf") != std::string::npos) return;
    auto block = BlockFromMessage(mutated);
    const auto records = block.Split(parser);
    ASSERT_EQ(records.size(), NonBlankLines(mutated)) << mutated;
  });
}

TEST(Mutation, OfABundleNeverLosesTheWholeOrGainsRecords) {
  JsonParser parser;
  Mutations({std::string(kBundle)}, kJsonWords).ForEach(20'000, [&](std::string_view mutated) {
    auto block = BlockFromMessage(std::string(mutated), {.max_record_bytes = 200});
    const auto records = block.Split(parser);
    for (const Record& record : records) {
      if (!record.fault) {
        ASSERT_EQ(record.text.empty(), !record.delete_target.empty());
        (void)parser.ParsePadded(record.text);
      }
      ASSERT_LE(record.place.byte_offset + record.place.byte_length,
                static_cast<int64_t>(mutated.size()));
    }
    if (!records.empty()) return;
    // Nothing came out: then nothing was in.
    const auto tree = parser.Parse(mutated);
    if (!tree) {
      ASSERT_EQ(NonBlankLines(mutated), 0u) << mutated;
    } else {
      const JsonValue list = tree->Find("entry");
      ASSERT_TRUE(!list || (list.is_array() && list.size() == 0)) << mutated;
    }
  });
}

}  // namespace
}  // namespace vitalake::fhir
