#include "cli/shell_input.h"

#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <iostream>

namespace vitalake::cli {
namespace {

constexpr int kHistoryLength = 1000;

// Lines of a pipe or file.
class PlainInput final : public ShellInput {
 public:
  explicit PlainInput(std::stop_token stop) : stop_(std::move(stop)) {}
  InputLine ReadLine(const std::string&) override {
    InputLine line;
    if (stop_.stop_requested() || !std::getline(std::cin, line.text)) return {};
    if (line.text.ends_with('\r')) line.text.pop_back();
    line.event = LineEvent::kLine;
    return line;
  }
  void Remember(const std::string&) override {}
  void Interrupt() override {}

 private:
  std::stop_token stop_;
};

// libedit on the terminal. Signals are blocked in this thread (cli/signals.h), so a Ctrl-C reaches
// the waiting read through a pipe.
class EditInput final : public ShellInput {
 public:
  explicit EditInput(std::stop_token stop) : stop_(std::move(stop)) {
    std::setlocale(LC_CTYPE, "");
    if (pipe2(wake_.data(), O_CLOEXEC | O_NONBLOCK) != 0) wake_ = {-1, -1};
    edit_ = el_init("vitalake", stdin, stderr, stderr);
    history_ = history_init();
    HistEvent event;
    history(history_, &event, H_SETSIZE, kHistoryLength);
    history(history_, &event, H_SETUNIQUE, 1);
    file_ = HistoryFile();
    if (!file_.empty()) history(history_, &event, H_LOAD, file_.c_str());
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &EditInput::Prompt);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_wset(edit_, EL_GETCFN, &EditInput::GetCharacter);
    el_source(edit_, nullptr);
  }

  ~EditInput() override {
    history_end(history_);
    el_end(edit_);
    for (int end : wake_) {
      if (end >= 0) close(end);
    }
  }

  InputLine ReadLine(const std::string& prompt) override {
    prompt_ = prompt;
    DrainWake();
    interrupted_ = false;
    int count = 0;
    const char* text = el_gets(edit_, &count);
    if (interrupted_) {
      el_reset(edit_);
      std::fputs("\n", stderr);
      return {stop_.stop_requested() ? LineEvent::kEnd : LineEvent::kInterrupt, ""};
    }
    if (!text || count <= 0) return {};
    std::string line(text, static_cast<size_t>(count));
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    return {LineEvent::kLine, std::move(line)};
  }

  void Remember(const std::string& statement) override {
    HistEvent event;
    history(history_, &event, H_ENTER, statement.c_str());
    if (file_.empty()) return;
    mode_t before = umask(0077);  // statements may hold names
    history(history_, &event, H_SAVE, file_.c_str());
    umask(before);
  }

  void Interrupt() override {
    char byte = 0;
    if (write(wake_[1], &byte, 1) < 0) return;  // full: it is awake anyway
  }

 private:
  static char* Prompt(EditLine* edit) { return Self(edit)->prompt_.data(); }

  static EditInput* Self(EditLine* edit) {
    EditInput* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return self;
  }

  // Characters read, 0 at the end, -1 for an error: libedit's contract.
  static int GetCharacter(EditLine* edit, wchar_t* out) { return Self(edit)->Read(out); }

  int Read(wchar_t* out) {
    std::mbstate_t state{};
    while (true) {
      std::array<pollfd, 2> waits = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{wake_[0], POLLIN, 0}};
      if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return -1;
      if (waits[1].revents != 0) {
        interrupted_ = true;
        return 0;
      }
      if (waits[0].revents == 0) continue;
      char byte = 0;
      ssize_t count = read(STDIN_FILENO, &byte, 1);
      if (count <= 0) return static_cast<int>(count);
      size_t done = std::mbrtowc(out, &byte, 1, &state);
      if (done == 0 || done == 1) return 1;
      if (done == static_cast<size_t>(-1)) state = {};  // no character: passed over
    }
  }

  void DrainWake() {
    char byte = 0;
    while (read(wake_[0], &byte, 1) == 1) {
    }
  }

  std::stop_token stop_;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
  std::string file_;
  std::string prompt_;
  std::array<int, 2> wake_{-1, -1};
  bool interrupted_ = false;
};

}  // namespace

std::string HistoryFile() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state && *state) {
    folder = state;
  } else if (home && *home) {
    folder = std::filesystem::path(home) / ".local" / "state";
  } else {
    return "";
  }
  folder /= "vitalake";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? "" : (folder / "history").string();
}

std::unique_ptr<ShellInput> OpenShellInput(std::stop_token stop) {
  if (isatty(STDIN_FILENO) == 1) return std::make_unique<EditInput>(std::move(stop));
  return std::make_unique<PlainInput>(std::move(stop));
}

}  // namespace vitalake::cli
