// The constants of Keras' BatchNormalization, which the 2018 and 2019 systems were trained with.
#pragma once

namespace earmark {

inline constexpr double kKerasEps = 1e-3;
inline constexpr double kKerasMomentum = 0.01;  // Keras' 0.99, seen from the other side

}  // namespace earmark
