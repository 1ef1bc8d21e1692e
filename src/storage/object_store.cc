#include "storage/object_store.h"

namespace vitalake::storage {
namespace {

class RangesByKey final : public ObjectReader {
 public:
  RangesByKey(ObjectStore& store, ObjectInfo object) : store_(store), object_(std::move(object)) {}

  int64_t size_bytes() const override { return object_.size_bytes; }
  Result<std::string> ReadRange(int64_t offset, int64_t size) override {
    return store_.ReadRange(object_.key, offset, size);
  }

 private:
  ObjectStore& store_;
  const ObjectInfo object_;
};

}  // namespace

Result<std::unique_ptr<ObjectReader>> ObjectStore::OpenReader(std::string_view key) {
  VL_TRY(ObjectInfo object, Head(key));
  return std::make_unique<RangesByKey>(*this, std::move(object));
}

}  // namespace vitalake::storage
