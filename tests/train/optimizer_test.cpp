#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "golden_path.h"
#include "models/reference_network.h"

namespace earmark {
namespace {

const std::vector<std::string> kNames{"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
const std::vector<long> kStoredSteps{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 50};

using testing::to_torch;

// The golden problem: a network of two layers, its optimizer, and what the reference made of them.
struct GoldenRun {
  TensorMap problem, expected;
  NamedParameters parameters;
  std::unique_ptr<Optimizer> optimizer;

  GoldenRun(const std::filesystem::path& folder, const std::string& name, const nlohmann::json& config) {
    problem = read_npz(folder / "problem.npz");
    expected = read_npz(folder / (name + ".npz"));
    for (const std::string& parameter : kNames)
      parameters.emplace_back(parameter, to_torch(problem.at("init." + parameter)).requires_grad_(true));
    RalambOptions options;
    options.lr = config.at("lr").get<double>();
    options.weight_decay = config.at("wd").get<double>();
    if (!config.at("la").is_null()) {
      options.lookahead.k = config.at("la").at(0).get<int>();
      options.lookahead.alpha = config.at("la").at(1).get<double>();
    }
    optimizer = make_optimizer(parameters, options);
  }

  torch::Tensor loss() const {
    const auto& p = parameters;
    const torch::Tensor hidden =
        torch::tanh(torch::matmul(to_torch(problem.at("X")), p[0].second.t()) + p[1].second);
    const torch::Tensor y = torch::matmul(hidden, p[2].second.t()) + p[3].second;
    return (y - to_torch(problem.at("Y"))).pow(2).mean();
  }

  // Fifty steps. @return the largest deviation of a parameter at the steps that are stored.
  double follow(const std::function<void(long)>& set_gradients) {
    double worst = 0.0;
    for (long t = 1; t <= 50; ++t) {
      set_gradients(t);
      optimizer->step(1.0);
      if (std::ranges::find(kStoredSteps, t) == kStoredSteps.end()) continue;
      for (const auto& [name, parameter] : parameters) {
        const torch::Tensor want = to_torch(expected.at("step" + std::to_string(t) + "." + name));
        worst = std::max(worst, (parameter.detach() - want).abs().max().item<double>());
      }
    }
    return worst;
  }
};

class GoldenTrajectories : public ::testing::Test {
 protected:
  static void each_run(const std::filesystem::path& folder,
                       const std::function<void(const std::string&, GoldenRun&)>& check) {
    const auto configs = nlohmann::json::parse(read_text(folder / "configs.json"));
    ASSERT_EQ(configs.size(), 5U);
    for (const auto& [name, config] : configs.items()) {
      SCOPED_TRACE(name);
      GoldenRun run(folder, name, config);
      check(name, run);
    }
  }
};

TEST_F(GoldenTrajectories, StoredGradientsLeadToTheStoredWeightsWithin3e6) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  each_run(golden / "optim", [](const std::string& name, GoldenRun& run) {
    const double worst = run.follow([&](long t) {
      for (auto& [parameter_name, parameter] : run.parameters)
        parameter.mutable_grad() = to_torch(run.expected.at("grad." + parameter_name))[t - 1].clone();
    });
    EXPECT_LE(worst, 3e-6);
    RecordProperty(name, std::to_string(worst * 1e9) + "e-9");
  });
}

TEST_F(GoldenTrajectories, TheWholeProblemFollowsWithin1e4) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  each_run(golden / "optim", [](const std::string& name, GoldenRun& run) {
    const std::vector<double> losses = run.expected.at("losses").doubles();
    const double worst = run.follow([&](long t) {
      run.optimizer->zero_grad();
      const torch::Tensor loss = run.loss();
      EXPECT_NEAR(loss.item<double>(), losses.at(static_cast<std::size_t>(t - 1)), 1e-4) << t;
      loss.backward();
    });
    EXPECT_LE(worst, 1e-4);
    RecordProperty(name, std::to_string(worst * 1e9) + "e-9");
  });
}

// The rules once more, in double precision and as they are written down.
struct Recomputed {
  RalambOptions options;
  std::vector<double> w, m, v, slow;
  long t = 0;

  Recomputed(std::vector<double> start, const RalambOptions& made_with)
      : options(made_with), w(std::move(start)), m(w.size()), v(w.size()), slow(w) {}

  static double norm(const std::vector<double>& x) {
    double sum = 0;
    for (const double value : x) sum += value * value;
    return std::sqrt(sum);
  }

  void step(const std::vector<double>& g, double rate_factor) {
    ++t;
    const double lr = options.lr * rate_factor, b1 = options.beta1, b2 = options.beta2;
    const double b2t = std::pow(b2, static_cast<double>(t)), rest1 = 1 - std::pow(b1, static_cast<double>(t));
    const double inf = 2 / (1 - b2) - 1, rho = inf - 2 * static_cast<double>(t) * b2t / (1 - b2t);
    const double r = std::sqrt((1 - b2t) * (rho - 4) / (inf - 4) * (rho - 2) / rho * inf / (inf - 2)) / rest1;
    std::vector<double> u(w.size()), bare(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
      u[i] = rho >= 5 ? r * m[i] / (std::sqrt(v[i]) + options.eps) : m[i] / rest1;
      w[i] -= options.weight_decay * lr * w[i];
      bare[i] = w[i] - lr * u[i];
    }
    const double size = std::min(norm(w), 10.0);
    const double against = norm(options.trust == RalambTrust::kPaper ? u : bare);
    const double trust = size > 0 && against > 0 ? size / against : 1.0;
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= lr * trust * u[i];
    sync();
  }

  void sync() {
    const LookaheadOptions& look = options.lookahead;
    if (look.k == 0 || t % look.k != 0) return;
    if (look.start == LookaheadStart::kReference && t == look.k) slow = w;
    for (std::size_t i = 0; i < w.size(); ++i) {
      slow[i] += look.alpha * (w[i] - slow[i]);
      w[i] = slow[i];
    }
  }
};

// Forty steps on gradients that pull towards a target and jitter. @return the largest deviation.
double deviation_from_recomputed(const RalambOptions& options, double start_scale) {
  constexpr std::size_t kN = 301;  // no multiple of the eight running sums
  Rng rng(9, "optimizer test");
  std::vector<double> start(kN);
  for (double& x : start) x = static_cast<float>(start_scale * rng.normal());
  const std::vector<float> start_f(start.begin(), start.end());
  torch::Tensor w = torch::tensor(std::vector<float>(start_f), torch::kFloat).requires_grad_(true);
  const std::unique_ptr<Optimizer> optimizer = make_optimizer({{"w", w}}, options);
  Recomputed expected(start, options);
  double worst = 0.0;
  for (long t = 0; t < 40; ++t) {
    std::vector<float> gradient(kN);
    for (std::size_t i = 0; i < kN; ++i)
      gradient[i] = static_cast<float>(expected.w[i] - static_cast<double>(i % 5) + rng.normal());
    const double factor = t < 20 ? 1.0 : 0.3;
    w.mutable_grad() = torch::tensor(gradient, torch::kFloat);
    optimizer->step(factor);
    expected.step({gradient.begin(), gradient.end()}, factor);
    for (std::size_t i = 0; i < kN; ++i) {
      worst = std::max(worst,
                       std::fabs(static_cast<double>(w[static_cast<long>(i)].item<float>()) - expected.w[i]));
    }
  }
  return worst;
}

TEST(Ralamb, BothFormsFollowTheirRulesInDoublePrecisionWithin3e6) {
  for (const RalambTrust trust : {RalambTrust::kReference, RalambTrust::kPaper}) {
    for (const double start_scale : {0.0, 0.1, 1.0}) {  // norms of 0, about 1.7 and about 17
      for (const double weight_decay : {0.0, 0.01}) {
        RalambOptions options;
        options.trust = trust;
        options.lr = 1e-2;
        options.weight_decay = weight_decay;
        EXPECT_LE(deviation_from_recomputed(options, start_scale), 3e-6)
            << start_scale << " " << weight_decay;
      }
    }
  }
}

TEST(Lookahead, BothStartsFollowTheirRulesInDoublePrecisionWithin3e6) {
  for (const LookaheadStart start : {LookaheadStart::kReference, LookaheadStart::kPaper}) {
    for (const auto& [k, alpha] : {std::pair{5, 0.5}, {1, 0.3}, {6, 0.8}, {50, 0.5}}) {
      RalambOptions options;
      options.trust = RalambTrust::kPaper;
      options.lookahead = {k, alpha, start};
      EXPECT_LE(deviation_from_recomputed(options, 0.3), 3e-6) << k;
    }
  }
}

TEST(Ralamb, ThePapersStepHasTheLengthOfTheWeightsTimesTheRate) {
  // |w - w'| = lr trust |u| = lr |w| for |w| < 10, whatever the gradient's size.
  for (const double size : {1e-3, 1.0, 1e3}) {
    torch::Tensor w = torch::full({4}, 1.5f).requires_grad_(true);  // norm 3
    RalambOptions options;
    options.trust = RalambTrust::kPaper;
    options.lr = 0.01;
    const auto optimizer = make_optimizer({{"w", w}}, options);
    w.mutable_grad() = torch::tensor({1.0, -2.0, 3.0, 0.5}, torch::kFloat) * size;
    const torch::Tensor before = w.detach().clone();
    optimizer->step(1.0);
    EXPECT_NEAR((w.detach() - before).norm().item<double>(), 0.03, 1e-6) << size;
  }
}

TEST(Ralamb, ClippingIsThatOfTheWholeGradient) {
  RalambOptions clipped;
  clipped.clip_norm = 2.5;
  torch::Tensor a = torch::ones({2}).requires_grad_(true), b = torch::ones({2}).requires_grad_(true);
  const auto first = make_optimizer({{"w", a}}, clipped),
             second = make_optimizer({{"w", b}}, RalambOptions{});
  a.mutable_grad() = torch::tensor({3.0, 4.0}, torch::kFloat);  // norm 5: halved
  b.mutable_grad() = torch::tensor({1.5, 2.0}, torch::kFloat);
  EXPECT_DOUBLE_EQ(first->step(1.0), 5.0);
  EXPECT_DOUBLE_EQ(second->step(1.0), 2.5);
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-6);
}

TEST(Lookahead, AGradientThatIsNoNumberChangesNothingAndIsNoStep) {
  RalambOptions options;
  options.lookahead.k = 2;
  options.lookahead.start = LookaheadStart::kPaper;
  torch::Tensor w = torch::ones({3}).requires_grad_(true);
  const auto optimizer = make_optimizer({{"w", w}}, options);
  w.mutable_grad() = torch::ones({3});
  optimizer->step(1.0);
  const torch::Tensor before = w.detach().clone();
  w.mutable_grad() = torch::full({3}, std::nanf(""));
  EXPECT_FALSE(std::isfinite(optimizer->step(1.0)));
  EXPECT_TRUE(torch::equal(w, before)) << "a second step would have synced";
}

std::vector<OptimizerOptions> every_optimizer() {
  std::vector<OptimizerOptions> all{AdamOptions{}, RalambOptions{}};
  for (const LookaheadStart start : {LookaheadStart::kReference, LookaheadStart::kPaper}) {
    AdamOptions adam;
    adam.lookahead = {3, 0.5, start};
    RalambOptions ralamb;
    ralamb.lookahead = {3, 0.5, start};
    all.emplace_back(adam);
    all.emplace_back(ralamb);
  }
  return all;
}

TEST(MakeOptimizer, StateSurvivesACheckpointBitForBitBeforeAndAfterTheFirstSync) {
  int index = 0;
  for (const OptimizerOptions& options : every_optimizer()) {
    for (const int n_before : {0, 2, 3, 7}) {
      SCOPED_TRACE(::testing::Message() << "optimizer " << index << " after " << n_before);
      torch::manual_seed(6);
      torch::Tensor a = torch::randn({11, 3}).requires_grad_(true), b = torch::zeros({11, 3});
      b.requires_grad_(true);
      const auto step = [](Optimizer& optimizer, torch::Tensor& w) {
        optimizer.zero_grad();
        w.pow(3).sum().backward();
        optimizer.step(0.7);
      };
      const auto first = make_optimizer({{"w", a}}, options);
      for (int i = 0; i < n_before; ++i) step(*first, a);
      TensorMap state;
      first->save(state);
      // As a resumed run does it: made from other weights, then weights and state put in place.
      const auto second = make_optimizer({{"w", b}}, options);
      second->load(find_in(state));
      {
        torch::NoGradGuard no_grad;
        b.copy_(a);
      }
      for (int i = 0; i < 5; ++i) {
        step(*first, a);
        step(*second, b);
        ASSERT_TRUE(torch::equal(a, b)) << i;
      }
      TensorMap first_state, second_state;
      first->save(first_state);
      second->save(second_state);
      ASSERT_EQ(first_state.size(), second_state.size());
      for (const auto& [name, tensor] : first_state)
        EXPECT_EQ(tensor.bytes, second_state.at(name).bytes) << name;
    }
    ++index;
  }
}

TEST(MakeOptimizer, AnotherOptimizersOrAnotherNetworksStateIsRefused) {
  const std::vector<OptimizerOptions> all = every_optimizer();
  const auto state_of = [](const OptimizerOptions& options, int n) {
    torch::Tensor w = torch::ones({n}).requires_grad_(true);
    const auto optimizer = make_optimizer({{"w", w}}, options);
    for (int i = 0; i < 4; ++i) {
      w.mutable_grad() = torch::ones({n});
      optimizer->step(1.0);
    }
    TensorMap lent, state;
    optimizer->save(lent);
    for (const auto& [name, tensor] : lent) {
      const std::span<const std::byte> bytes = tensor.bytes.span();
      state[name] = {tensor.dtype, tensor.shape, std::vector<std::byte>(bytes.begin(), bytes.end())};
    }
    return state;
  };
  const auto load = [&](const OptimizerOptions& into, const TensorMap& state) {
    torch::Tensor w = torch::ones({5}).requires_grad_(true);
    make_optimizer({{"w", w}}, into)->load(find_in(state));
  };
  for (const OptimizerOptions& options : all) {
    EXPECT_NO_THROW(load(options, state_of(options, 5)));
    EXPECT_THROW(load(options, state_of(options, 6)), Error);
  }
  EXPECT_THROW(load(all[0], state_of(all[1], 5)), Error) << "Adam from Ralamb";
  EXPECT_THROW(load(all[2], state_of(all[0], 5)), Error) << "no Lookahead there";
  TensorMap torn = state_of(all[3], 5);
  torn.erase("lookahead.w.slow");
  EXPECT_THROW(load(all[3], torn), Error);
}

// Two steps by hand: v = g + decay w; the rate falls from 0.1 to 0.01 between them.
TEST(Sgd, MomentumAndDecayAddUpAsTheyShould) {
  for (const SgdVelocity velocity : {SgdVelocity::kTorch, SgdVelocity::kKeras}) {
    torch::Tensor matrix = torch::full({1, 1}, 2.0f).requires_grad_(true);
    torch::Tensor vector = torch::full({1}, 2.0f).requires_grad_(true);
    SgdOptions options;
    options.weight_decay = 0.5;
    options.velocity = velocity;
    const auto sgd = make_optimizer({{"w", matrix}, {"b", vector}}, options);
    double w = 2.0, b = 2.0, vw = 0.0, vb = 0.0;
    for (const double factor : {1.0, 0.1}) {
      sgd->zero_grad();
      (3.0 * matrix.sum() + 3.0 * vector.sum()).backward();
      sgd->step(factor);
      const double rate = 0.1 * factor, gw = 3.0 + 0.5 * w, gb = 3.0;  // vectors do not decay
      vw = velocity == SgdVelocity::kTorch ? 0.9 * vw + gw : 0.9 * vw - rate * gw;
      vb = velocity == SgdVelocity::kTorch ? 0.9 * vb + gb : 0.9 * vb - rate * gb;
      w += velocity == SgdVelocity::kTorch ? -rate * vw : vw;
      b += velocity == SgdVelocity::kTorch ? -rate * vb : vb;
      EXPECT_NEAR(matrix.item<double>(), w, 1e-6);
      EXPECT_NEAR(vector.item<double>(), b, 1e-6);
    }
  }
}

TEST(Sgd, ItsStateIsOneVelocityAWeight) {
  torch::Tensor weight = torch::ones({3}).requires_grad_(true);
  const auto sgd = make_optimizer({{"w", weight}}, SgdOptions{});
  weight.sum().backward();
  sgd->step(1.0);
  TensorMap state;
  sgd->save(state);
  EXPECT_EQ(state.size(), 2U) << "the velocity and the count of steps";
  EXPECT_EQ(state.at("sgd.w.m").floats(), std::vector<float>(3, 1.0f));
  const auto again = make_optimizer({{"w", weight}}, SgdOptions{});
  again->load(find_in(state));
  TensorMap copy;
  again->save(copy);
  EXPECT_EQ(copy.at("sgd.w.m").floats(), state.at("sgd.w.m").floats());
}

}  // namespace
}  // namespace earmark
