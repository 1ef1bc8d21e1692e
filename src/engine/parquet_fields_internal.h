// Field ids and values of parquet.thrift.
#pragma once

#include <cstdint>

namespace vitalake::engine {

namespace footer {
inline constexpr int16_t kVersion = 1, kSchema = 2, kRows = 3, kRowGroups = 4, kCreatedBy = 6,
                         kColumnOrders = 7, kEncryption = 8;
}
namespace element {
inline constexpr int16_t kType = 1, kTypeLength = 2, kRepetition = 3, kName = 4, kChildren = 5,
                         kConvertedType = 6, kLogicalType = 10;
}
namespace group {
inline constexpr int16_t kColumns = 1, kTotalBytes = 2, kRows = 3, kSorting = 4, kFileOffset = 5,
                         kCompressedBytes = 6, kOrdinal = 7;
}
namespace chunk {
inline constexpr int16_t kFilePath = 1, kFileOffset = 2, kMetadata = 3, kOffsetIndex = 4,
                         kOffsetIndexSize = 5, kColumnIndex = 6, kColumnIndexSize = 7, kCrypto = 8;
}
namespace meta {
inline constexpr int16_t kType = 1, kEncodings = 2, kPath = 3, kCodec = 4, kValues = 5,
                         kUncompressed = 6, kCompressed = 7, kDataPage = 9, kIndexPage = 10,
                         kDictionaryPage = 11, kStatistics = 12, kEncodingStats = 13,
                         kBloomFilter = 14, kBloomFilterSize = 15, kSizeStatistics = 16;
}
namespace statistics {
inline constexpr int16_t kNullCount = 3, kMax = 5, kMin = 6;
}
// Values of ConvertedType, for readers that know no logical types.
namespace converted {
inline constexpr int64_t kUtf8 = 0, kDate = 6, kTimestampMicros = 10, kInt8 = 15, kInt16 = 16,
                         kInt32 = 17, kInt64 = 18;
}
// Fields of the union LogicalType, and of what they hold.
namespace logical {
inline constexpr int16_t kString = 1, kDate = 6, kTimestamp = 8, kInteger = 10;
inline constexpr int16_t kTimestampUtc = 1, kTimestampUnit = 2, kMicros = 2;
inline constexpr int16_t kIntegerBits = 1, kIntegerSigned = 2;
}  // namespace logical
namespace page {
inline constexpr int16_t kType = 1, kUncompressedSize = 2, kCompressedSize = 3, kData = 5,
                         kDictionary = 7;
inline constexpr int64_t kDataPage = 0, kDictionaryPage = 2;
}  // namespace page
// Of both DataPageHeader and DictionaryPageHeader.
namespace page_head {
inline constexpr int16_t kValues = 1, kEncoding = 2, kDefinitionEncoding = 3,
                         kRepetitionEncoding = 4;
}
namespace encoding {
inline constexpr int64_t kPlain = 0, kPlainDictionary = 2, kRle = 3, kRleDictionary = 8;
}

}  // namespace vitalake::engine
