#include "engine/engine_case.h"

namespace earmark::testing {
namespace {

template <class Options, class Change>
ModelOptions changed(Change change) {
  Options options;
  change(options);
  return options;
}

// Every option that changes what is laid out, at sizes that a test can afford.
void add_urbannets(std::vector<EngineCase>& cases) {
  using Options = UrbannetSystem2Options;
  const auto add = [&](const char* name, auto change) {
    cases.push_back({name,
                     changed<Options>([&](Options& o) {
                       o.n_mels = 32;
                       o.embedding = 512;
                       o.heads = 4;
                       o.d_k = 16;
                       o.time2vec = 8;
                       change(o);
                     }),
                     {40, 21, 64}});
  };
  cases.push_back({"UrbannetSystem1",
                   changed<UrbannetSystem1Options>([](UrbannetSystem1Options& o) {
                     o.n_mels = 32;
                     o.embedding = 512;
                   }),
                   {60, 33}});
  add("UrbannetSystem2", [](Options&) {});
  add("UrbannetOfTransformerLayersWithPositions", [](Options& o) {
    o.encoder = EncoderKind::kStandard;
    o.positions = true;
    o.n_encoder_layers = 2;
  });
  add("UrbannetOfBatchNormAndGru", [](Options& o) {
    o.norm = NormKind::kBatch;
    o.encoder = EncoderKind::kGru;
    o.weight_standardisation = false;
  });
  add("UrbannetWithoutEncoderScrambledTimes", [](Options& o) {
    o.encoder = EncoderKind::kNone;
    o.time2vec_layout = Time2VecLayout::kReference;
    o.n_channels = 2;
  });
  add("UrbannetOfMetadataAlone", [](Options& o) { o.specific = o.generic = false; });
}

void add_vggishes(std::vector<EngineCase>& cases) {
  const auto small = [](VggishOptions& o) {
    o.width = 16;
    o.hidden = 64;
    o.n_tags = 24;
  };
  // Embeddings and what is made of them are no scores: of size 1 and of size 100.
  cases.push_back({"Vggish", changed<VggishOptions>(small), {96, 200, 330}, 2e-5});
  cases.push_back({"VggishAsATagger",
                   changed<VggishOptions>([&](VggishOptions& o) {
                     small(o);
                     o.n_tags = 5;
                     o.embedding = 24;
                   }),
                   {200, 96}});
  cases.push_back({"VggishWhitened",
                   changed<VggishOptions>([&](VggishOptions& o) {
                     small(o);
                     o.pca = true;
                   }),
                   {200, 96},
                   2e-5});
  const auto with_embeddings = [&](const char* name, Combine combine, int width) {
    cases.push_back({name,
                     changed<CnnVggishOptions>([&](CnnVggishOptions& o) {
                       o.combine = combine;
                       o.width = width;
                       o.n_embedding = 50;
                     }),
                     {862, 600, 1039, 70}});
  };
  with_embeddings("CnnVggishBilinear", Combine::kBilinear, 4);
  with_embeddings("CnnVggishConcat", Combine::kConcat, 8);
  with_embeddings("CnnVggishWithoutEmbeddings", Combine::kNone, 5);
}

void add_densenets(std::vector<EngineCase>& cases) {
  using Options = SingleBlockDensenetOptions;
  cases.push_back({"LogMelDensenet",
                   changed<Options>([](Options& o) {
                     o.log_mel = cochlear_front_end(8000);
                     o.log_mel.n_mels = 24;
                     o.growth = {16, 32, 48, 64};
                     o.n_tags = 9;
                   }),
                   {8000, 8129, 1500}});
  cases.push_back({"LogMelDensenetAsPublished", SingleBlockDensenetOptions(), {20000, 64000}, 1e-5, 1.3});
  cases.push_back({"LogMelDensenetOfOddWidths",
                   changed<Options>([](Options& o) {
                     o.log_mel = cochlear_front_end(8000);
                     o.log_mel.n_mels = 13;
                     o.n_low = 6;
                     o.growth = {5, 3, 19};
                     o.se_ratio = 3;
                     o.n_heads = 1;
                     o.n_tags = 4;
                   }),
                   {4000, 1025, 130}});
  cases.push_back({"WaveformDensenet",
                   changed<Options>([](Options& o) {
                     o.input = DensenetInput::kWaveform;
                     o.growth = {2, 4, 8, 16, 32, 32, 32};
                     o.n_heads = 3;
                     o.n_tags = 6;
                   }),
                   {3000, 4001, 129}});
}

}  // namespace

std::vector<EngineCase> engine_cases() {
  std::vector<EngineCase> cases;
  cases.push_back({"UpbCrnn", UpbCrnnOptions(), {151, 1, 8, 237, 501}, 1e-5, 1.4});
  cases.push_back({"UpbCrnnOf64BandsAndTwoChannels",
                   changed<UpbCrnnOptions>([](UpbCrnnOptions& o) {
                     o.n_mels = 64;
                     o.n_channels = 2;
                     o.n_tags = 7;
                   }),
                   {100, 33},
                   1e-5,
                   1.4});
  cases.push_back({"TwoPathResnet", TwoPathResnetOptions(), {100, 33, 461}});
  cases.push_back({"TwoPathResnetAffineOfOddWidth",
                   changed<TwoPathResnetOptions>([](TwoPathResnetOptions& o) {
                     o.width = 10;
                     o.n_mels = 34;
                     o.n_channels = 3;
                     o.n_tags = 11;
                     o.norm_affine = true;
                   }),
                   {64, 1, 37}});
  cases.push_back({"Talnet", TalnetOptions(), {64, 4, 31}});
  cases.push_back({"TalnetOfSixConvolutions",
                   changed<TalnetOptions>([](TalnetOptions& o) {
                     o.embedding = 128;
                     o.n_conv = 6;
                     o.n_pool = 3;
                     o.n_tags = 3;
                   }),
                   {50, 17}});
  add_urbannets(cases);
  add_vggishes(cases);
  add_densenets(cases);
  cases.push_back({"MeanStdLinear", MeanStdLinearOptions(), {100, 1, 433}});
  return cases;
}

}  // namespace earmark::testing
