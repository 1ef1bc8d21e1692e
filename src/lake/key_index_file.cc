#include "lake/key_index_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kMagic = "VLKEYS01";
constexpr int64_t kEntryBytes = sizeof(uint64_t) + sizeof(uint32_t);
constexpr int64_t kFixedBytes = 8 + 3 * sizeof(uint64_t) + sizeof(uint32_t);
constexpr int64_t kDirectoryBytes = 2 * sizeof(uint64_t);

int64_t BlockCount(int64_t entries, int64_t of_block) {
  return (entries + of_block - 1) / of_block;
}

std::unexpected<Error> Corrupt(std::string_view what) {
  return Fail(ErrorKind::kCorrupt, fmt::format("not a usable key index: {}", what));
}

}  // namespace

std::string EncodeKeyIndex(const IndexedFile& file, std::vector<KeyEntry> entries,
                           int64_t block_entries) {
  if (!std::ranges::is_sorted(entries)) std::ranges::sort(entries);
  const int64_t count = static_cast<int64_t>(entries.size());
  std::string blocks;
  blocks.reserve(static_cast<size_t>(count * kEntryBytes));
  std::string out(kMagic);
  AppendNumber(out, static_cast<uint64_t>(file.size_bytes));
  AppendNumber(out, static_cast<uint64_t>(file.rows));
  AppendNumber(out, static_cast<uint64_t>(count));
  AppendNumber(out, static_cast<uint32_t>(file.path.size()));
  out += file.path;
  for (int64_t begin = 0; begin < count; begin += block_entries) {
    const std::span of_block(entries.data() + begin,
                             static_cast<size_t>(std::min(block_entries, count - begin)));
    const size_t before = blocks.size();
    for (const KeyEntry& entry : of_block) AppendNumber(blocks, entry.hash);
    for (const KeyEntry& entry : of_block) AppendNumber(blocks, entry.row);
    AppendNumber(out, of_block.front().hash);
    AppendNumber(out, Hash64(std::string_view(blocks).substr(before)));
  }
  AppendNumber(out, Hash64(out));
  return out + blocks;
}

Result<std::string> ReuseKeyIndex(const std::string& bytes, const IndexedFile& from,
                                  const IndexedFile& to) {
  VL_TRY(const KeyIndexFile index,
         KeyIndexFile::Open(from, [&](int64_t offset, int64_t size) -> Result<std::string> {
           if (offset >= static_cast<int64_t>(bytes.size())) return "";
           return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
         }));
  VL_TRY(std::vector<KeyEntry> entries, index.ReadAll());
  return EncodeKeyIndex(to, std::move(entries));
}

Result<KeyIndexFile> KeyIndexFile::Open(const IndexedFile& file, ReadBytes read,
                                        int64_t block_entries) {
  KeyIndexFile index;
  index.block_entries_ = block_entries;
  index.read_ = std::move(read);
  VL_RETURN_IF_ERROR(index.ReadHead(file));
  return index;
}

Status KeyIndexFile::ReadHead(const IndexedFile& file) {
  const int64_t path_bytes = static_cast<int64_t>(file.path.size());
  VL_TRY(std::string head, read_(0, kFixedBytes));
  if (static_cast<int64_t>(head.size()) < kFixedBytes || !head.starts_with(kMagic)) {
    return Corrupt("it does not begin as one");
  }
  const auto rows = static_cast<int64_t>(NumberAt<uint64_t>(head, 16));
  if (static_cast<int64_t>(NumberAt<uint64_t>(head, 8)) != file.size_bytes ||
      (file.rows >= 0 && rows != file.rows) || NumberAt<uint32_t>(head, 32) != path_bytes) {
    return Corrupt("it was made from another file");
  }
  entries_ = static_cast<int64_t>(NumberAt<uint64_t>(head, 24));
  if (entries_ < 0 || entries_ > (int64_t{1} << 32)) return Corrupt("it is damaged");
  const int64_t blocks = BlockCount(entries_, block_entries_);
  const int64_t rest = path_bytes + blocks * kDirectoryBytes;
  VL_TRY(const std::string more, read_(kFixedBytes, rest + 8));
  if (static_cast<int64_t>(more.size()) < rest + 8) return Corrupt("it is cut off");
  head += std::string_view(more).substr(0, static_cast<size_t>(rest));
  if (Hash64(head) != NumberAt<uint64_t>(more, rest)) return Corrupt("its checksum does not hold");
  if (std::string_view(more).substr(0, file.path.size()) != file.path) {
    return Corrupt("it was made from another file");
  }
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t at = path_bytes + block * kDirectoryBytes;
    blocks_.push_back({NumberAt<uint64_t>(more, at), NumberAt<uint64_t>(more, at + 8)});
  }
  blocks_offset_ = kFixedBytes + rest + 8;
  return {};
}

int64_t KeyIndexFile::EntriesOf(size_t block) const {
  return std::min(block_entries_, entries_ - static_cast<int64_t>(block) * block_entries_);
}

Result<std::string> KeyIndexFile::ReadBlock(size_t at) const {
  const auto block = static_cast<int64_t>(at);
  const int64_t size = EntriesOf(at) * kEntryBytes;
  VL_TRY(std::string bytes, read_(blocks_offset_ + block * block_entries_ * kEntryBytes, size));
  if (static_cast<int64_t>(bytes.size()) != size || Hash64(bytes) != blocks_[at].checksum) {
    return Corrupt("the checksum of a block does not hold");
  }
  return bytes;
}

Result<std::vector<KeyEntry>> KeyIndexFile::ReadAll() const {
  std::vector<KeyEntry> entries;
  entries.reserve(static_cast<size_t>(entries_));
  for (size_t at = 0; at < blocks_.size(); ++at) {
    VL_TRY(const std::string bytes, ReadBlock(at));
    const int64_t count = EntriesOf(at);
    for (int64_t i = 0; i < count; ++i) {
      entries.push_back(
          {NumberAt<uint64_t>(bytes, i * 8), NumberAt<uint32_t>(bytes, count * 8 + i * 4)});
    }
  }
  return entries;
}

Result<std::vector<KeyEntry>> KeyIndexFile::Find(std::span<const uint64_t> wanted) const {
  std::vector<KeyEntry> found;
  for (size_t at = 0; at < blocks_.size(); ++at) {
    const auto from = std::ranges::lower_bound(wanted, blocks_[at].first);
    if (from == wanted.end()) break;
    // The last block that begins before that hash: one that ends a block may go on in the next.
    const std::span later = std::span(blocks_).subspan(at + 1);
    at += static_cast<size_t>(std::ranges::lower_bound(later, *from, {}, &Block::first) -
                              later.begin());
    const auto to = at + 1 < blocks_.size()
                        ? std::ranges::upper_bound(wanted, blocks_[at + 1].first)
                        : wanted.end();
    VL_TRY(const std::string bytes, ReadBlock(at));
    const int64_t count = EntriesOf(at);
    const auto hash = [&](int64_t i) { return NumberAt<uint64_t>(bytes, i * 8); };
    int64_t entry = 0;
    for (auto want = from; want != to && entry < count;) {
      if (hash(entry) < *want) {
        // Most wanted hashes are far apart: leap.
        int64_t step = 1;
        while (entry + step < count && hash(entry + step) < *want) step *= 2;
        int64_t low = entry + step / 2;
        int64_t high = std::min(entry + step, count);
        while (low < high) {
          const int64_t middle = low + (high - low) / 2;
          if (hash(middle) < *want) {
            low = middle + 1;
          } else {
            high = middle;
          }
        }
        entry = low;
      } else if (hash(entry) == *want) {
        found.push_back({*want, NumberAt<uint32_t>(bytes, count * 8 + entry * 4)});
        ++entry;
      } else {
        ++want;
      }
    }
  }
  return found;
}

}  // namespace vitalake::lake
