#include "engine/engine_case.h"

namespace earmark::testing {

std::vector<EngineCase> engine_cases() {
  UpbCrnnOptions upb, wide_upb;
  wide_upb.n_mels = 64;
  wide_upb.n_channels = 2;
  wide_upb.n_tags = 7;
  return {{"UpbCrnn", upb, {151, 1, 8, 237, 501}}, {"UpbCrnnOf64BandsAndTwoChannels", wide_upb, {100, 33}}};
}

}  // namespace earmark::testing
