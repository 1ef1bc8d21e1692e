#include "serve/query_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vitalake::serve {

Result<size_t> PositiveOf(const Request& request, std::string_view name, size_t usual,
                          size_t most) {
  const std::string* const text = request.Query(name);
  if (text == nullptr) return usual;
  size_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number == 0) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("`{}` is a number from 1", name));
  }
  return std::min(number, most);
}

}  // namespace vitalake::serve
