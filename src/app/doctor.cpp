#include "app/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "audio/codecs.h"
#include "core/machine.h"
#include "core/shared_module.h"
#include "earmark/error.h"
#include "earmark/version.h"
#include "features/frame_kernel.h"
#include "recipe/recipe.h"
#include "tagger/engine.h"
#include "tagger/scorer.h"

namespace earmark {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr double kMemoryWanted_GiB = 2.0;

bool is_one_of(const std::string& kernel, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), kernel) != names.end();
}

void examine_machine(Diagnosis& out) {
  const Machine machine = this_machine();
  const double memory_gib = static_cast<double>(machine.memory_bytes) / kGiB;
  std::vector<std::string> features;
  Value flags{Value::Map()}, facts;
  for (const auto& [name, there] : machine.cpu_features) {
    if (there) features.push_back(name);
    flags.set(name, there);
  }
  facts.set("name", machine.cpu_name);
  facts.set("architecture", machine.architecture);
  facts.set("features", std::move(flags));
  facts.set("simd", instruction_set());
  facts.set("cores", machine.n_cores);
  out.facts.set("cpu", std::move(facts));
  out.facts.set("memory_bytes", static_cast<std::int64_t>(machine.memory_bytes));
  out.facts.set("system", machine.system);

  Finding cpu{"processor", Health::kGood, "", ""};
  cpu.text = fmt::format("{} ({}), {} cores, {}; front end runs {}",
                         machine.cpu_name.empty() ? "unnamed" : machine.cpu_name, machine.architecture,
                         machine.n_cores,
                         features.empty() ? std::string("no vector extensions of use here")
                                          : fmt::format("{}", fmt::join(features, " ")),
                         instruction_set());
  if (machine.architecture == "x86_64" && !machine.has("avx2")) {
    cpu.health = Health::kNote;
    cpu.fix =
        "without AVX2 networks run several times slower; use another machine for more than a few recordings";
  }
  out.findings.push_back(cpu);
  Finding memory{"memory", Health::kGood, fmt::format("{:.1f} GiB; {}", memory_gib, machine.system), ""};
  if (machine.memory_bytes > 0 && memory_gib < kMemoryWanted_GiB) {
    memory.health = Health::kNote;
    memory.fix = "training wants 2 GiB; use a smaller train.batch_size";
  }
  out.findings.push_back(memory);
}

void examine_gpu(Diagnosis& out) {
  std::error_code error;
  const bool present = std::filesystem::exists("/proc/driver/nvidia/version", error);
  out.facts.set("gpu", present ? Value("nvidia, not used by this build") : Value());
  out.findings.push_back(
      {"gpu", Health::kGood,
       present ? "there is one; this build computes on the processor" : "none; networks run on the processor",
       ""});
}

void examine_codecs(Diagnosis& out) {
  const Codecs found = codecs();
  std::vector<std::string> there, missing;
  Value formats{Value::Map()};
  for (const auto& [name, known] : found.formats) {
    (known ? there : missing).push_back(name);
    formats.set(name, known);
  }
  out.facts.set("libsndfile", found.libsndfile);
  out.facts.set("formats", std::move(formats));
  out.facts.set("ffmpeg", found.ffmpeg.empty() ? Value() : Value(found.ffmpeg.string()));
  Finding sndfile{"decoders", Health::kGood, fmt::format("{}: {}", found.libsndfile, fmt::join(there, ", ")),
                  ""};
  if (!missing.empty()) {
    sndfile.health = Health::kNote;
    sndfile.text += fmt::format("; not {}", fmt::join(missing, ", "));
    sndfile.fix = found.ffmpeg.empty() ? "install libsndfile 1.1 or newer, or ffmpeg, for the missing formats"
                                       : "install libsndfile 1.1 or newer for the missing formats";
  }
  out.findings.push_back(sndfile);
  if (found.ffmpeg.empty()) {
    out.findings.push_back({"ffmpeg", Health::kNote,
                            "not on PATH: m4a, mp4, webm, wma and video files cannot be read (needs_ffmpeg)",
                            "apt install ffmpeg, if there are such recordings"});
  } else {
    out.findings.push_back(
        {"ffmpeg", Health::kGood, found.ffmpeg.string() + ": m4a, mp4, webm, wma and video files", ""});
  }
}

bool examine_libtorch(bool load, Diagnosis& out) {
  const bool present = torch_module_present();
  bool loaded = false;
  Finding finding{"libtorch", Health::kGood, "", ""};
  if (!present) {
    finding = {
        "libtorch", Health::kProblem,
        "the module that trains networks, and runs those that the fast engine does not know, is not there",
        "build with libtorch-dev installed and EARMARK_WITH_TORCH=ON, or name the module in "
        "EARMARK_TORCH_MODULE"};
  } else if (!load) {
    finding.text = "the module that trains and runs networks is there; not loaded (--no-load)";
  } else {
    try {
      torch_symbol("earmark_make_network");
      loaded = true;
      finding.text = "the module that trains and runs networks loads";
    } catch (const Error& e) {
      finding = {"libtorch", Health::kProblem, e.what(),
                 "install what the loader misses (apt install libtorch1.13, libgloo0), or rebuild"};
    }
  }
  Value facts;
  facts.set("present", present);
  facts.set("loads", load ? Value(loaded) : Value());
  out.facts.set("libtorch", std::move(facts));
  out.findings.push_back(finding);
  return loaded;
}

void examine_engine(bool load, Diagnosis& out) {
  const bool present = engine_module_present();
  Finding finding{"engine", Health::kGood, "", ""};
  if (!present) {
    finding = {
        "engine", Health::kNote,
        "the module that runs networks fast is not there: tagging takes libtorch, at about half the speed",
        "build with libdnnl-dev installed, or name the module in EARMARK_ENGINE_MODULE"};
  } else if (!load) {
    finding.text = "the module that runs networks fast is there; not loaded (--no-load)";
  } else {
    try {
      engine_symbol("earmark_make_fast_network");
      finding.text = "the module that runs networks fast loads";
    } catch (const Error& e) {
      finding = {"engine", Health::kProblem, e.what(), "apt install libdnnl2, or rebuild"};
    }
  }
  out.facts.set("engine", present);
  out.findings.push_back(finding);
}

void examine_download(Diagnosis& out) {
  const bool present = download_module_present();
  out.facts.set("download", present);
  if (present) {
    out.findings.push_back({"download", Health::kGood, "the module that fetches data sets is there", ""});
  } else {
    out.findings.push_back(
        {"download", Health::kNote,
         "the module that fetches data sets is not there: no `earmark data download`",
         "build with libcurl4-openssl-dev, libssl-dev, libarchive-dev and zlib1g-dev installed"});
  }
}

void examine_blas(bool loaded, Diagnosis& out) {
  const Machine machine = this_machine();
  const std::string kernel = loaded ? openblas_kernel() : "";
  out.facts.set("openblas_kernel", kernel.empty() ? Value() : Value(kernel));
  if (loaded) out.findings.push_back(judge_blas(kernel, machine.has("avx2"), machine.has("avx512")));
}

void examine_bundle(bool loaded, Diagnosis& out) {
  const std::filesystem::path path = share_folder() / "models" / "esc10.earmark";
  std::error_code error;
  Value facts;
  Finding finding{"bundle", Health::kGood, path.string(), ""};
  facts.set("path", path.string());
  facts.set("present", std::filesystem::exists(path, error));
  if (!std::filesystem::exists(path, error)) {
    finding = {
        "bundle", Health::kNote, fmt::format("{} is not there: tag needs --model", path.string()),
        "train one (`earmark train`), or name the folder that holds recipes/ and models/ in EARMARK_SHARE"};
  } else {
    try {
      Bundle bundle = read_bundle(path);
      finding.text += fmt::format(": {} tags", bundle.tags.size());
      if (loaded) {
        const Scorer scorer(std::move(bundle), make_network_by(Engine::kAuto));
        finding.text += ", gives its own answer";
      }
      facts.set("self_test", loaded ? Value("passed") : Value("not run"));
    } catch (const Error& e) {
      finding = {"bundle", Health::kProblem, fmt::format("{}: {}", path.string(), e.what()),
                 "fetch the file anew"};
      facts.set("self_test", "failed");
    }
  }
  out.facts.set("bundle", std::move(facts));
  out.findings.push_back(finding);
}

void examine_recipes(Diagnosis& out) {
  const std::size_t n = shipped_recipes().size();
  out.facts.set("recipes", static_cast<std::int64_t>(n));
  Finding finding{"recipes", Health::kGood,
                  fmt::format("{} ship, in {}", n, (share_folder() / "recipes").string()), ""};
  if (n == 0) {
    finding.health = Health::kNote;
    finding.text = fmt::format("none under {}", share_folder().string());
    finding.fix = "name the folder that holds recipes/ and models/ in EARMARK_SHARE";
  }
  out.findings.push_back(finding);
}

const char* name_of(Health health) {
  switch (health) {
    case Health::kGood:
      return "ok";
    case Health::kNote:
      return "note";
    default:
      return "problem";
  }
}

}  // namespace

bool Diagnosis::broken() const noexcept {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.health == Health::kProblem; });
}

Finding judge_blas(const std::string& kernel, bool has_avx2, bool has_avx512) {
  if (kernel.empty()) {
    return {"openblas", Health::kNote,
            "matrix products are not OpenBLAS's: they may run at 2 % of the machine's speed",
            "apt install libopenblas0-pthread"};
  }
  const bool wide = is_one_of(kernel, {"SkylakeX", "Cooperlake", "SapphireRapids"});
  const bool avx2 = is_one_of(kernel, {"Haswell", "Zen", "Excavator"});
  if (has_avx512 ? wide : has_avx2 ? wide || avx2 : true) {
    return {"openblas", Health::kGood, fmt::format("OpenBLAS with its {} kernel", kernel), ""};
  }
  const char* wanted = has_avx512 ? "SkylakeX" : "Haswell";
  const char* set = std::getenv("OPENBLAS_CORETYPE");
  return {"openblas", Health::kNote,
          fmt::format("OpenBLAS runs its {} kernel on a processor that is worth {}: matrix products are "
                      "slower than they need be, several times with the oldest kernels",
                      kernel, wanted),
          set != nullptr && kernel == set
              ? fmt::format("unset OPENBLAS_CORETYPE, which asks for {}", set)
              : fmt::format("set OPENBLAS_CORETYPE={}, or install a newer libopenblas0-pthread", wanted)};
}

Diagnosis diagnose(bool load) {
  Diagnosis out;
  out.facts.set("version", version());
  out.findings.push_back({"earmark", Health::kGood, std::string("version ") + version(), ""});
  examine_machine(out);
  examine_gpu(out);
  examine_engine(load, out);
  const bool loaded = examine_libtorch(load, out);
  examine_blas(loaded, out);
  examine_codecs(out);
  examine_download(out);
  examine_recipes(out);
  examine_bundle(load && (loaded || engine_module_present()), out);
  return out;
}

Value to_value(const Diagnosis& diagnosis) {
  Value value = diagnosis.facts, findings{Value::List()};
  for (const Finding& finding : diagnosis.findings) {
    Value entry;
    entry.set("name", finding.name);
    entry.set("status", name_of(finding.health));
    entry.set("found", finding.text);
    entry.set("fix", finding.fix.empty() ? Value() : Value(finding.fix));
    findings.push_back(std::move(entry));
  }
  value.set("checks", std::move(findings));
  value.set("ok", !diagnosis.broken());
  return value;
}

}  // namespace earmark
