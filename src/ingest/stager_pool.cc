#include "ingest/stager_pool.h"

#include "engine/sql_functions.h"

namespace vitalake::ingest {

Result<std::unique_ptr<StagerPool>> StagerPool::Open(lake::Lake& lake) {
  std::unique_ptr<StagerPool> pool(new StagerPool(lake));
  engine::EngineOptions options = lake.engine().options();
  options.threads = 1;
  VL_TRY(pool->writer_, engine::Engine::Open(options));
  VL_TRY(engine::Connection functions, pool->writer_->Connect());
  VL_RETURN_IF_ERROR(engine::RegisterSqlFunctions(functions));
  return pool;
}

Result<std::unique_ptr<RecordStager>> StagerPool::Take(const StagerContext& context,
                                                       const StagingPlaces& places) {
  std::unique_ptr<RecordStager> stager;
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      stager = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (!stager) return RecordStager::Make(lake_.engine(), *writer_, context, &places);
  VL_RETURN_IF_ERROR(stager->Reuse(places));
  return stager;
}

void StagerPool::Give(std::unique_ptr<RecordStager> stager) {
  const std::lock_guard lock(mutex_);
  spare_.push_back(std::move(stager));
}

}  // namespace vitalake::ingest
