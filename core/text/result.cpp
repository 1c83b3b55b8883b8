#include "core/text/result.hpp"

namespace kevolve {

Error Error::in(std::string_view context) const {
  return {std::string(context) + ": " + message};
}

}  // namespace kevolve
