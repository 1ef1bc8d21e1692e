// FileSource: the lines of a file that grows (NDJSON), as a stream of one partition.
//
// A line is a message; its offset is that of its first byte. A last line without its line feed
// waits for it.
// A file that was cut off, written anew or replaced by another of its name begins a new epoch: it
// is shorter than our position, or has other bytes in front of it (also when a restart finds it
// so), or the name leads to another file. What was given is in bronze before that begins, and so is
// the last line of what was there, whether it had its line feed or not.
#pragma once

#include <atomic>
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
  void CommitAdvisory(const std::map<int32_t, int64_t>& next) override {
    if (const auto ours = next.find(0); ours != next.end()) committed_ = ours->second;
  }

 private:
  // What follows the bytes that were read.
  enum class Ahead { kMore, kNothing, kAnotherFile };

  // Opens the file and offers it to the owner; false: not now.
  Result<bool> Offer(PartitionOwner& owner);
  // Whether a message may begin at `offset` of the file that is open.
  bool BeginsLine(int64_t offset) const;
  // Reads on.
  Result<Ahead> Fill();
  // Whether the name leads to another file than the one that is open.
  bool IsReplaced() const;
  // The file is another: gives what is left of the old one, then offers the new one.
  Status Renew(PartitionOwner& owner, std::vector<StreamMessage>& into);
  void Give(std::vector<StreamMessage>& into, size_t at, size_t length);
  Status TakeLines(std::vector<StreamMessage>& into, size_t most);

  std::string path_;
  std::string topic_;
  Clock& clock_;
  int fd_ = -1;
  bool offered_ = false;
  bool paused_ = false;
  bool anew_ = false;                   // the file offered next is another than the one before
  std::string buffer_;                  // bytes from buffer_at_ on that no message has taken
  int64_t buffer_at_ = 0;               // offset of its first byte
  bool inside_line_ = false;            // it begins inside a line that is none of ours
  std::string tail_;                    // the last bytes that were read
  int64_t given_ = 0;                   // behind the first byte of the last message that was given
  std::atomic<int64_t> committed_ = 0;  // up to here bronze has them
};

}  // namespace vitalake::ingest
