#include "tagger/network.h"

#include "core/shared_module.h"

namespace earmark {

MakeNetworkFn& torch_make_network() {
  return *reinterpret_cast<MakeNetworkFn*>(torch_symbol("earmark_make_network"));
}

StateLayoutFn& torch_state_layout() {
  return *reinterpret_cast<StateLayoutFn*>(torch_symbol("earmark_state_layout"));
}

}  // namespace earmark
