// FileSource: the lines of a file that grows (NDJSON), as a stream of one partition.
//
// A line is a message; its offset is that of its first byte. A last line without its line feed
// waits for it. A file that is shorter than our position was made anew: a new epoch. (One that was
// replaced by a longer one is not noticed: give it another name.)
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "ingest/stream/source.h"

namespace vitalake::ingest {

class FileSource final : public StreamSource {
 public:
  // The file need not be there yet.
  FileSource(std::string path, Clock& clock);
  ~FileSource() override;

  const std::string& topic() const override { return topic_; }
  Status Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
              std::chrono::milliseconds patience) override;
  Status Seek(int32_t partition, int64_t offset) override;
  void Pause() override { paused_ = true; }
  void Resume() override { paused_ = false; }
  void CommitAdvisory(const std::map<int32_t, int64_t>&) override {}

 private:
  // Opens the file and offers it to the owner; false: not now.
  Result<bool> Offer(PartitionOwner& owner);
  // Reads on; false at the end of what is there.
  Result<bool> Fill();
  Status TakeLines(std::vector<StreamMessage>& into, size_t most);

  std::string path_;
  std::string topic_;
  Clock& clock_;
  int fd_ = -1;
  bool offered_ = false;
  bool paused_ = false;
  std::string buffer_;        // bytes from buffer_at_ on that no message has taken
  int64_t buffer_at_ = 0;     // offset of its first byte
  bool inside_line_ = false;  // it begins inside a line that is none of ours
};

}  // namespace vitalake::ingest
