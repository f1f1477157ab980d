#include "tagger/model_io.h"

#include <gtest/gtest.h>

#include "../audio/scratch.h"
#include "earmark/error.h"
#include "fake_network.h"

namespace earmark::testing {
namespace {

Tensor zeros(std::vector<std::int64_t> shape) {
  std::size_t n = 1;
  for (const auto d : shape) n *= static_cast<std::size_t>(d);
  return Tensor::from_floats(std::vector<float>(n, 0.0f), std::move(shape));
}

// As many tensors as are needed to read an upb_crnn's sizes: 3 tags, 64 bands, 1 channel.
TensorMap small_state() {
  return {{"fc_out.weight", zeros({3, 256})},
          {"cnn2d.0.conv.weight", zeros({16, 1, 3, 3})},
          {"cnn1d.0.conv.weight", zeros({256, 512, 3})}};
}

std::unique_ptr<Network> make_any(const BundledNetwork&, const TensorMap&) {
  return std::make_unique<FakeNetwork>(true, 0.0f);
}

// The three tensors above are all that this network has.
StateLayout small_layout(const ModelOptions&) {
  StateLayout layout;
  for (const auto& [name, tensor] : small_state()) layout.emplace(name, tensor.shape);
  return layout;
}

TEST(ImportState, InfersSizesAndTellsWhatItLeft) {
  TensorMap state;
  for (auto& [name, tensor] : small_state()) state.emplace("module." + name, tensor);
  state.emplace("module.cnn2d.0.norm.num_batches_tracked",
                Tensor::from_integers(std::vector<std::int64_t>{5}, {}));
  state.emplace("optimizer.step", Tensor::from_floats(std::vector<float>{1}, {1}));
  ImportRequest request;
  request.kind = "upb_crnn";
  const ImportResult result = import_state(state, request, make_any, small_layout);
  EXPECT_EQ(result.bundle.tags, (std::vector<std::string>{"tag_0", "tag_1", "tag_2"}));
  EXPECT_EQ(to_json(result.bundle.networks[0].options), R"({"n_tags":3,"n_mels":64,"n_channels":1})");
  EXPECT_EQ(result.bundle.networks[0].front_end.log_mel->n_mels, 64);
  EXPECT_EQ(result.bundle.self_test.scores.size(), 3u);
  EXPECT_EQ(result.taken.size(), 3u);
  EXPECT_EQ(result.not_taken.size(), 2u);
}

// A file that has lost a part still describes a network; whoever imports it is told which.
TEST(ImportState, TellsWhichPartsTheFileHasNoTensorsOf) {
  const TensorMap state{{"head.prob.weight", zeros({3, 64})},
                        {"generic.block1.conv.weight", zeros({4, 1, 3, 3})},
                        {"generic.block2.conv.weight", zeros({8, 4, 3, 3})}};
  const auto layout = [](const ModelOptions&) { return StateLayout(); };
  ImportRequest request;
  request.kind = "urbannet_system2";
  request.options = Value(Value::Map{{"metadata", Value(false)}});  // asked for: nothing to be told of
  StateLayoutFn& of = *+layout;
  const ImportResult result = import_state(state, request, make_any, of);
  EXPECT_EQ(result.absent,
            (std::vector<std::string>{"specific: false, usually true", "input_norm: false, usually true"}));
}

TEST(ImportState, VariancesAreNotNegative) {
  TensorMap state = small_state();
  state.emplace("cnn2d.0.norm.running_var", Tensor::from_floats(std::vector<float>{-1.0f}, {1}));
  ImportRequest request;
  request.kind = "upb_crnn";
  StateLayoutFn& layout = *+[](const ModelOptions& model) {
    StateLayout all = small_layout(model);
    all["cnn2d.0.norm.running_var"] = {1};
    return all;
  };
  try {
    import_state(state, request, make_any, layout);
    FAIL() << "a variance of -1 was taken";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("cnn2d.0.norm.running_var: holds negative variances"),
              std::string::npos)
        << e.what();
  }
}

TEST(ImportState, NamesWhatDoesNotFit) {
  ImportRequest request;
  request.kind = "resnet";
  EXPECT_THROW(import_state(small_state(), request, make_any, small_layout), Error);
  request.kind = "upb_crnn";
  request.labels = {"one"};
  EXPECT_THROW(import_state(small_state(), request, make_any, small_layout), Error);
  request.labels.clear();
  request.front_end = FrontEnd::of(LogMelFeatures());  // of 128 bands
  EXPECT_THROW(import_state(small_state(), request, make_any, small_layout), Error);
  TensorMap state = small_state();
  state.erase("fc_out.weight");
  EXPECT_THROW(import_state(state, request, make_any, small_layout), Error);
}

TEST(ForwardFeatures, ScoresEachItemAndChecksShapes) {
  const Bundle bundle = fake_bundle();
  const Tensor x = Tensor::from_floats(std::vector<float>(2 * 16 * 5, 0.5f), {2, 1, 16, 5});
  const Tensor y = forward_features(bundle, 0, {x, {5, 3}, {}, {}}, make_mean);
  EXPECT_EQ(y.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_FLOAT_EQ(y.floats()[0], 0.5f + 0.5f * std::sin(1.5f));
  EXPECT_THROW(forward_features(bundle, 1, {x, {}, {}, {}}, make_mean), Error);
  EXPECT_THROW(forward_features(bundle, 0, {x, {5}, {}, {}}, make_mean), Error);
  EXPECT_THROW(forward_features(bundle, 0, {x, {5, 6}, {}, {}}, make_mean), Error);
  EXPECT_THROW(forward_features(bundle, 0, {Tensor::from_floats(std::vector<float>(30), {2, 15}), {}, {}, {}},
                                make_mean),
               Error);
  EXPECT_THROW(
      forward_features(bundle, 0, {Tensor::from_floats(std::vector<float>(30), {1, 1, 15, 2}), {}, {}, {}},
                       make_mean),
      Error);
}

TEST(DescribeBundle, TellsAllButTheWeights) {
  const Scratch s;
  Bundle bundle = fake_bundle();
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  write_bundle(s / "b.earmark", bundle);
  const Value card = describe_bundle(s / "b.earmark");
  EXPECT_EQ(card.at("tags").as_list().size(), 3u);
  EXPECT_EQ(card.at("parameters").as_integer(), 4);
  EXPECT_EQ(card.at("networks").as_list().at(0).find("multiply_adds"),
            nullptr);  // no network of the engine's
  EXPECT_EQ(self_test_result(s / "b.earmark", make_mean), "");
  EXPECT_NE(self_test_result(s / "b.earmark", make_step), "");
}

TEST(ReadLabels, SkipsBlankLinesAndRefusesDoubles) {
  const Scratch s;
  EXPECT_EQ(read_labels(s.write("l.txt", "dog\r\n\nrain, heavy\n")),
            (std::vector<std::string>{"dog", "rain, heavy"}));
  EXPECT_THROW(read_labels(s.write("l.txt", "dog\ndog\n")), Error);
}

}  // namespace
}  // namespace earmark::testing
