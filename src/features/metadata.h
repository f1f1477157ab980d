// metadata.h: what is known of a recording besides its sound (place, time), as columns that a network takes.
#pragma once
#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// Values of a recording by name, as they are written down.
using Metadata = std::map<std::string, double>;

enum class MetadataScale { kRaw, kCyclic, kCentred };
template <>
struct EnumNames<MetadataScale> {
  static constexpr std::array kNames{std::pair{MetadataScale::kRaw, std::string_view("raw")},
                                     std::pair{MetadataScale::kCyclic, std::string_view("cyclic")},
                                     std::pair{MetadataScale::kCentred, std::string_view("centred")}};
};

/// One column. A value x becomes: raw: x; cyclic: 2 x / period - 1; centred: (x - offset) / divisor.
struct MetadataColumn {
  std::string name;
  MetadataScale scale = MetadataScale::kRaw;
  double period = 1.0;
  double offset = 0.0;
  double divisor = 1.0;
  double fallback = 0.0;  ///< x where a recording has none

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, kAny, "of the data set's column");
    visit(
        "scale", self.scale, kAny,
        "raw: as it is; cyclic: one period onto -1 .. 1; centred: minus the training clips' mean, over their "
        "largest distance from it");
    visit("period", self.period, kPositive, "cyclic: values of one turn (24 hours, 7 days, 52 weeks)");
    visit("offset", self.offset, kAny, "centred: measured on the training clips");
    visit("divisor", self.divisor, kPositive, "centred: measured on the training clips");
    visit("fallback", self.fallback, kAny,
          "value of a recording without one; measured: the training clips' mean");
  }
};

/// What a network sees: one number a column.
std::vector<float> scaled_metadata(std::span<const MetadataColumn> columns, const Metadata& values);

/// Sets fallback, and offset and divisor of centred columns, from the values that the training clips have.
/// @param values [n_columns] each the known values of a column, in any order.
/// @throws Error(kBadDataset) naming each column that no clip has a value for.
void measure_metadata(std::vector<MetadataColumn>& columns, std::span<const std::vector<double>> values);

/// latitude, longitude, week, day, hour as they stand in SONYC-UST: what the published UrbanNet was fed.
std::vector<MetadataColumn> raw_place_and_time();

}  // namespace earmark
