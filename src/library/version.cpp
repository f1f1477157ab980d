#include "earmark/version.h"

namespace earmark {

const char* version() noexcept { return EARMARK_VERSION; }

}  // namespace earmark
