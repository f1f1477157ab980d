// version.h: of the library that is loaded.
#pragma once

namespace earmark {

/// "major.minor.patch"; see docs/versioning.md for what each part promises.
const char* version() noexcept;

}  // namespace earmark
