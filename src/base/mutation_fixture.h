// Texts that are nearly what a reader takes: those of a corpus, changed at random.
//
// Deterministic: the same seed gives the same texts. VITALAKE_FUZZ_ROUNDS multiplies how many,
// VITALAKE_FUZZ_SEED chooses others: `make fuzz` runs them so, under sanitizers, for hours if need
// be.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace vitalake {

class Mutations {
 public:
  // `words` are put in where they hurt: signs and names the format is made of.
  Mutations(std::vector<std::string> corpus, std::vector<std::string> words)
      : corpus_(std::move(corpus)), words_(std::move(words)), random_(Setting("SEED", 1)) {}

  // Calls `check` with each of `rounds` texts, until one fails.
  template <class Check>
  void ForEach(uint64_t rounds, const Check& check) {
    rounds *= Setting("ROUNDS", 1);
    for (uint64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      const std::string text = Next();
      check(std::string_view(text));
      if (testing::Test::HasFailure()) {
        GTEST_LOG_(ERROR) << "round " << round << ": " << testing::PrintToString(text);
      }
    }
  }

  // One of the corpus, with up to five changes.
  std::string Next() {
    std::string text = corpus_[random_.Below(corpus_.size())];
    for (uint64_t n = random_.Below(6); n > 0; --n) Change(text);
    return text;
  }

 private:
  static uint64_t Setting(const char* name, uint64_t usual) {
    const char* const text = std::getenv((std::string("VITALAKE_FUZZ_") + name).c_str());
    return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
  }

  void Change(std::string& text) {
    const size_t at = random_.Below(text.size() + 1);
    const size_t count = random_.Below(20);
    switch (random_.Below(8)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random_.Below(256));
        break;
      case 1:
        if (at < text.size()) text[at] ^= static_cast<char>(1 << random_.Below(8));
        break;
      case 2:
        text.erase(at, count);
        break;
      case 3:
        text.insert(at, words_[random_.Below(words_.size())]);
        break;
      case 4:
        text.insert(at, text.substr(at, count));
        break;
      case 5:
        text.insert(at, count, static_cast<char>(random_.Below(256)));
        break;
      case 6:
        text.replace(at, text.npos, Tail());
        break;
      default:
        text.resize(at);
        break;
    }
  }

  // The end of another text.
  std::string Tail() {
    const std::string& other = corpus_[random_.Below(corpus_.size())];
    return other.substr(random_.Below(other.size() + 1));
  }

  std::vector<std::string> corpus_, words_;
  SeededRandom random_;
};

}  // namespace vitalake
