// ColumnEncoder: the values of one flat column, row by row, into the pages of column chunks.
//
// Values that repeat go through a dictionary; where they turn out not to, the rest is written
// PLAIN. Pages are compressed as they fill, so that of long values little is held as they came.
// Source: Apache Parquet, "Encodings", "Nested Encoding", parquet.thrift (Statistics).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/parquet_pages.h"

namespace vitalake::engine {

class ColumnEncoder {
 public:
  // `values_repeat` false: no dictionary is tried. `codec` must outlive it. kUnsupported: see
  // WidthOf.
  static Result<ColumnEncoder> Make(const ChunkShape& shape, bool values_repeat, PageCodec& codec);

  // One row each, of the column's type; a null in a required column is a bug.
  void PutNulls(size_t count);
  void PutBool(bool value);
  void PutInt(int64_t value);  // kInt32, of which it is in range, and kInt64
  void PutFloat(float value);
  void PutDouble(double value);
  void PutText(std::string_view value);  // kByteArray
  // Of any type, by its PLAIN bytes (a string without its length, a boolean as one byte 0 or 1).
  void PutPlain(std::string_view value);

  size_t rows() const { return rows_; }
  // Ends the chunk; the next row begins another. Errors of the pages.
  Result<EncodedChunk> Finish();

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t place = 0;  // of the value in the dictionary, from 1; 0: free
  };

  ColumnEncoder(const ChunkShape& shape, size_t width, bool values_repeat, PageCodec& codec);

  void AddPresent();
  template <class T>
  void PutNumber(T value);
  void PutValue(std::string_view value, uint32_t hash);
  void PutIntoPlain(std::string_view value);
  std::string_view DictionaryValue(uint32_t place) const;
  uint32_t PlaceOf(std::string_view value, uint32_t hash);
  void GrowSlots();
  void LeaveDictionary();
  void Bound(std::string_view value);
  void Note(Status done);
  std::string Levels(size_t from, size_t to) const;
  Status EndDictionary();
  void PackBooleans();
  Status EndPlainPage();
  void WidenZeros(EncodedChunk& out) const;
  Status AddDataPage(std::string_view values, size_t from, size_t to, int64_t encoding);

  ChunkShape shape_;
  size_t width_;  // of a value's PLAIN bytes; 0: each has its own
  bool values_repeat_;
  PageCodec* codec_;

  size_t rows_ = 0;
  size_t nulls_ = 0;
  std::vector<uint64_t> present_;  // a bit per row, once there are nulls and values
  bool dictionary_ = true;         // values go into it; booleans wait in places_ alone
  std::vector<uint32_t> places_;   // by value: in the dictionary
  std::string dictionary_bytes_;   // its page
  std::vector<uint32_t> begins_;   // of its values in dictionary_bytes_; kByteArray
  std::vector<Slot> slots_;
  uint32_t values_in_dictionary_ = 0;
  uint32_t last_ = 0;     // place of the value put last, where there is one
  std::string plain_;     // of the page that is filling
  size_t page_from_ = 0;  // row that page begins with
  bool unordered_;        // no bounds: NaN, a long string, a type without an order
  EncodedChunk out_;
  Status failed_;
};

// The order of values of a type by their PLAIN bytes: <0, 0, >0. Not for kInt96 and kFixed.
int ComparePlain(ParquetType type, std::string_view a, std::string_view b);

}  // namespace vitalake::engine
