// labels_file.h: labels that stand in place of a data set's own: what `earmark relabel` writes.
#pragma once
#include <filesystem>

#include "data/dataset.h"
#include "eval/score_table.h"

namespace earmark {

/// Clips that the table names get its targets in the tags that it names: 0..1, soft between; an unknown one
/// is empty in no table and -1 here. Clips and tags that it lacks keep what they have.
/// @throws Error(kBadDataset) naming every clip and tag of the table that the data set lacks, and every value
/// beyond 1.
void use_labels(Dataset& data, const ScoreTable& labels, const std::string& file);

}  // namespace earmark
