#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/utf8.h"
#include "cli/quantity.h"

namespace vitalake::cli {
namespace {

constexpr int kBarWidth = 24;

std::string Bar(double share) {
  constexpr std::array<std::string_view, 8> kPart = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int eighths = static_cast<int>(share * kBarWidth * 8);
  int full = eighths / 8;
  std::string bar;
  for (int i = 0; i < full; ++i) bar += "█";
  bar += kPart[static_cast<size_t>(eighths % 8)];
  int used = full + (eighths % 8 ? 1 : 0);
  for (int i = used; i < kBarWidth; ++i) bar += "·";
  return bar;
}

// Cuts to `width` columns at a code point.
std::string Cut(std::string text, int width) {
  while (DisplayWidth(text) > static_cast<size_t>(std::max(width, 0))) {
    while (!text.empty() && IsInsideCharacter(text.back())) text.pop_back();
    if (!text.empty()) text.pop_back();
  }
  return text;
}

}  // namespace

std::string RenderProgress(const ProgressState& state, int width) {
  bool by_bytes = state.bytes_total > 0;
  int64_t done = by_bytes ? state.bytes_done : state.records;
  int64_t total = by_bytes ? state.bytes_total : state.records_total;
  std::string line = fmt::format("{:<8}", state.step);
  double share = 0;
  if (total > 0) {
    share = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    line += fmt::format(" {} {:>3.0f} %", Bar(share), share * 100);
  }
  if (by_bytes) line += fmt::format("  {}", FormatSize(state.bytes_done));
  if (state.records > 0) line += fmt::format("  {} records", FormatCount(state.records));
  if (state.seconds >= 0.5 && done > 0) {
    double rate = static_cast<double>(done) / state.seconds;
    line += by_bytes ? fmt::format("  {}/s", FormatSize(static_cast<int64_t>(rate)))
                     : fmt::format("  {}/s", FormatCount(static_cast<int64_t>(rate)));
    if (total > 0 && share < 1) {
      line += fmt::format("  {} left", FormatSeconds(static_cast<double>(total - done) / rate));
    }
  }
  return Cut(std::move(line), width);
}

ProgressBar::ProgressBar() : terminal_(DetectTerminal(STDERR_FILENO)) {}

ProgressBar::~ProgressBar() { Clear(); }

void ProgressBar::Update(ProgressState state) {
  if (!terminal_.is_terminal) return;
  auto now = std::chrono::steady_clock::now();
  bool new_step = state.step != step_;
  if (new_step) {
    step_ = state.step;
    step_began_ = now;
  }
  if (!new_step && now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  state.seconds = std::chrono::duration<double>(now - step_began_).count();
  std::string line = "\r" + RenderProgress(state, terminal_.width - 1) + "\x1b[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  visible_ = true;
}

void ProgressBar::Clear() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace vitalake::cli
