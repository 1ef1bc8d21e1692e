// What the tests of the decoder share: files in a folder, packed texts, records with their texts.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "fhir/decode.h"
#include "fhir/references.h"

namespace vitalake::fhir {

inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string Zstd(std::string_view text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

// A record with its text copied out of its block.
struct Seen {
  RecordPlace place;
  std::string text, payload, full_url, delete_target, rule, message;
  BundleReferences references;
};

inline std::vector<Seen> Split(RecordBlock& block) {
  JsonParser parser;
  std::vector<Seen> out;
  for (const Record& record : block.Split(parser)) {
    Seen& seen = out.emplace_back();
    seen.place = record.place;
    seen.text = record.text;
    seen.payload = record.payload;
    seen.full_url = record.full_url;
    seen.delete_target = record.delete_target;
    if (record.references) seen.references = *record.references;
    EXPECT_EQ(record.fault.has_value(), record.text.empty() && record.delete_target.empty());
    if (!record.fault) continue;
    EXPECT_EQ(record.fault->severity, Severity::kFatal);
    seen.rule = record.fault->rule;
    seen.message = record.fault->message;
    EXPECT_FALSE(seen.message.empty());
  }
  return out;
}

inline std::vector<Seen> Read(const std::filesystem::path& path, const DecodeLimits& limits = {},
                              std::string_view name = {}) {
  auto reader = RecordReader::Open(path, limits, name);
  EXPECT_TRUE(reader.has_value());
  std::vector<Seen> out;
  if (!reader) return out;
  for (int64_t sequence = 0;; ++sequence) {
    auto block = (*reader)->Next();
    EXPECT_TRUE(block.has_value()) << block.error().ToString();
    if (!block || !*block) break;
    EXPECT_EQ((*block)->sequence(), sequence);
    std::ranges::move(Split(**block), std::back_inserter(out));
  }
  EXPECT_FALSE((*reader)->Next().value().has_value());
  return out;
}

class DecodeTest : public testing::Test {
 protected:
  DecodeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "decode-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~DecodeTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name, std::string_view content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  std::vector<Seen> ReadText(std::string_view content, const DecodeLimits& limits = {},
                             const std::string& name = "file.json") {
    return Read(Write(name, content), limits);
  }

  std::filesystem::path folder_;
};

inline std::vector<std::string> Texts(const std::vector<Seen>& records) {
  std::vector<std::string> out;
  for (const Seen& record : records) {
    out.push_back(record.rule.empty() ? record.text : "fault: " + record.rule);
  }
  return out;
}

inline std::string ManyLines(int count) {
  SeededRandom random(7);
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("{{\"n\":{},\"u\":\"{}\"}}\n", i, random.Uuid());
  return text;
}

inline constexpr std::string_view kBundle = R"({
  "type": "transaction",
  "entry": [
    {"fullUrl": "urn:uuid:aaa", "request": {"method": "POST", "url": "Patient"},
     "resource": {"resourceType": "Patient", "id": "p1"}},
    {"fullUrl": "https://host/fhir/Observation/o1",
     "resource": {"id": "o1", "x": [1], "resourceType": "Observation"}},
    {"fullUrl": "urn:uuid:bbb", "resource": {"resourceType": "Patient"}},
    {"request": {"method": "DELETE", "url": "Patient/old"}},
    {"request": {"url": "https://host/fhir/Observation/o2/_history/3", "method": "DELETE"}},
    {"request": {"method": "DELETE", "url": "urn:uuid:aaa"}},
    {"request": {"method": "DELETE", "url": "Patient?identifier=1"}},
    {"request": {"method": "GET", "url": "Patient/secret"}},
    {"response": {"status": "201"}},
    {"resource": "text"},
    {"fullUrl": "urn:\u0075uid:ccc", "resource": {"resourceType": "Device", "id": "d"}}
  ],
  "resourceType": "Bundle"
})";

}  // namespace vitalake::fhir
