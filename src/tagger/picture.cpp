#include "tagger/picture.h"

#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "core/file.h"
#include "core/lower_case.h"
#include "earmark/error.h"
#include "features/mel.h"
#include "tagger/picture_text.h"
#include "tagger/text.h"
#include "tagger/timeline.h"

namespace earmark {
namespace {

constexpr double kLeft = 170, kRight = 104, kTop = 58, kSpectrogram = 330, kGap = 46, kRow = 30, kBottom = 58;
constexpr double kDynamicRange_db = 75.0;
constexpr float kTold = 0.05f;  // a score that never gets there has no row, while others do

struct Rgb {
  double r, g, b;
};

// Hues that stay apart for colour-blind eyes (Okabe and Ito), dark enough for white paper.
constexpr std::array<Rgb, 8> kTagColors{{{0.835, 0.369, 0.000},
                                         {0.000, 0.447, 0.698},
                                         {0.000, 0.620, 0.451},
                                         {0.800, 0.475, 0.655},
                                         {0.902, 0.624, 0.000},
                                         {0.337, 0.706, 0.914},
                                         {0.500, 0.300, 0.600},
                                         {0.350, 0.350, 0.350}}};

// matplotlib's "magma" by a polynomial of degree 6 (fit by Matt Zucker, public domain).
Rgb magma(double t) {
  static constexpr double k[7][3] = {
      {-0.002136485, -0.000749655, -0.005386128},  {0.251660541, 0.677523244, 2.494026599},
      {8.353717279, -3.577719515, 0.314467903},    {-27.668733086, 14.264730781, -13.649213188},
      {52.176139812, -27.943606072, 12.944169442}, {-50.768525365, 29.046582821, 4.234152994},
      {18.655705066, -11.489773520, -5.601961509}};
  std::array<double, 3> c{};
  for (int i = 6; i >= 0; --i) {
    for (std::size_t j = 0; j < 3; ++j) c[j] = c[j] * t + k[i][j];
  }
  for (double& x : c) x = std::clamp(x, 0.0, 1.0);
  return {c[0], c[1], c[2]};
}

cairo_status_t collect(void* closure, const unsigned char* data, unsigned int length) {
  auto& bytes = *static_cast<std::vector<std::byte>*>(closure);
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  bytes.insert(bytes.end(), begin, begin + length);
  return CAIRO_STATUS_SUCCESS;
}

class Painter {
 public:
  Painter(cairo_t* cr, const SpectrogramStrip& spectrogram, const ScoreStrip& scores, double duration_s,
          const std::vector<std::string>& tags, const PictureOptions& options)
      : cr_(cr),
        spectrogram_(spectrogram),
        scores_(scores),
        duration_s_(std::max(duration_s, 1e-3)),
        tags_(tags),
        options_(options),
        width_(options.width - kLeft - kRight) {}

  void draw(const std::vector<std::size_t>& rows) {
    cairo_set_source_rgb(cr_, 1, 1, 1);
    cairo_paint(cr_);
    cairo_select_font_face(cr_, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    title();
    find_levels();
    spectrogram();
    frequency_axis();
    color_bar();
    timeline(rows);
    time_axis(kTop + kSpectrogram + kGap + kRow * static_cast<double>(std::max<std::size_t>(rows.size(), 1)));
    score_legend();
  }

 private:
  enum class Align { kStart, kCenter, kEnd };

  void ink(double grey) { cairo_set_source_rgb(cr_, grey, grey, grey); }

  void text(double x, double y, const std::string& words, double size, Align align, double grey = 0.2) {
    cairo_set_font_size(cr_, size);
    cairo_text_extents_t extents;
    cairo_text_extents(cr_, words.c_str(), &extents);
    const double shift = align == Align::kStart    ? 0.0
                         : align == Align::kCenter ? extents.x_advance / 2
                                                   : extents.x_advance;
    ink(grey);
    cairo_move_to(cr_, x - shift, y);
    cairo_show_text(cr_, words.c_str());
  }

  // What does not fit loses its end.
  std::string fitting(const std::string& words, double size, double width) {
    cairo_set_font_size(cr_, size);
    cairo_text_extents_t extents;
    std::string shown = words;
    for (std::size_t n = display_width(words); n > 1; --n) {
      shown = shortened(words, n);
      cairo_text_extents(cr_, shown.c_str(), &extents);
      if (extents.x_advance <= width) break;
    }
    return shown;
  }

  void title() {
    cairo_select_font_face(cr_, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    text(kLeft, 32, fitting(single_line(options_.title), 17, width_ - 130), 17, Align::kStart, 0.1);
    cairo_select_font_face(cr_, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    text(kLeft + width_, 32,
         time_text(duration_s_, duration_s_ < 60 ? 0.1 : 1.0) + (duration_s_ < 60 ? " s" : ""), 13,
         Align::kEnd, 0.4);
  }

  // From the loudest cells (but not a single one) downwards.
  void find_levels() {
    std::vector<float> values;
    const std::size_t step = std::max<std::size_t>(1, spectrogram_.n_columns() / 512);
    for (std::size_t c = 0; c < spectrogram_.n_columns(); c += step) {
      for (int m = 0; m < spectrogram_.n_mels(); ++m) values.push_back(spectrogram_.value(c, m));
    }
    if (values.empty()) return;
    const auto at = [&](double share) {
      const auto nth =
          values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
      std::nth_element(values.begin(), nth, values.end());
      return static_cast<double>(*nth);
    };
    high_db_ = at(0.9995);
    low_db_ = std::max(high_db_ - kDynamicRange_db, std::min(at(0.02), high_db_ - 30.0));
  }

  void spectrogram() {
    const std::size_t n_columns = spectrogram_.n_columns();
    const int n_mels = spectrogram_.n_mels();
    if (n_columns > 0) {
      const int image_width = static_cast<int>(n_columns);
      std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> image(
          cairo_image_surface_create(CAIRO_FORMAT_RGB24, image_width, n_mels), &cairo_surface_destroy);
      unsigned char* data = cairo_image_surface_get_data(image.get());
      const int stride = cairo_image_surface_get_stride(image.get());
      for (int m = 0; m < n_mels; ++m) {
        auto* line =
            reinterpret_cast<std::uint32_t*>(data + static_cast<std::ptrdiff_t>(n_mels - 1 - m) * stride);
        for (std::size_t c = 0; c < n_columns; ++c) {
          const double db = static_cast<double>(spectrogram_.value(c, m));
          const Rgb color = magma(std::clamp((db - low_db_) / (high_db_ - low_db_), 0.0, 1.0));
          const auto byte = [](double x) { return static_cast<std::uint32_t>(std::lround(255.0 * x)); };
          line[c] = byte(color.r) << 16 | byte(color.g) << 8 | byte(color.b);
        }
      }
      cairo_surface_mark_dirty(image.get());
      cairo_save(cr_);
      cairo_rectangle(cr_, kLeft, kTop, width_, kSpectrogram);
      cairo_clip(cr_);
      cairo_translate(cr_, kLeft, kTop);
      const double shown_s = spectrogram_.seconds_per_column() * static_cast<double>(n_columns);
      cairo_scale(cr_, width_ * shown_s / duration_s_ / static_cast<double>(n_columns),
                  kSpectrogram / n_mels);
      cairo_set_source_surface(cr_, image.get(), 0, 0);
      cairo_pattern_set_filter(cairo_get_source(cr_), CAIRO_FILTER_GOOD);
      cairo_pattern_set_extend(cairo_get_source(cr_), CAIRO_EXTEND_PAD);
      cairo_paint(cr_);
      cairo_restore(cr_);
    }
    frame(kTop, kSpectrogram);
  }

  void frame(double y, double height) {
    cairo_set_line_width(cr_, 1);
    ink(0.55);
    cairo_rectangle(cr_, kLeft + 0.5, y + 0.5, width_ - 1, height - 1);
    cairo_stroke(cr_);
  }

  void frequency_axis() {
    const LogMelOptions& o = spectrogram_.options();
    const double low = hz_to_mel(o.f_min_hz, o.mel_scale), high = hz_to_mel(o.f_max_hz, o.mel_scale);
    const double step = (high - low) / (o.n_mels + 1);
    for (const double hz : {100.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0}) {
      // Band m is centred (m + 1) steps above f_min; cell m covers half a step to either side.
      const double share = ((hz_to_mel(hz, o.mel_scale) - low) / step - 0.5) / o.n_mels;
      if (share < 0.0 || share > 1.0) continue;
      const double y = kTop + kSpectrogram * (1.0 - share);
      tick(kLeft - 5, y, kLeft, y);
      text(kLeft - 9, y + 4, hz < 1000 ? fmt::format("{:.0f} Hz", hz) : fmt::format("{:.0f} kHz", hz / 1000),
           12, Align::kEnd);
    }
  }

  void tick(double x0, double y0, double x1, double y1) {
    cairo_set_line_width(cr_, 1);
    ink(0.45);
    cairo_move_to(cr_, std::floor(x0) + 0.5, std::floor(y0) + 0.5);
    cairo_line_to(cr_, std::floor(x1) + 0.5, std::floor(y1) + 0.5);
    cairo_stroke(cr_);
  }

  void color_bar() {
    const double x = kLeft + width_ + 20, w = 14;
    for (int i = 0; i < static_cast<int>(kSpectrogram); ++i) {
      const Rgb c = magma(1.0 - i / (kSpectrogram - 1));
      cairo_set_source_rgb(cr_, c.r, c.g, c.b);
      cairo_rectangle(cr_, x, kTop + i, w, 1.6);
      cairo_fill(cr_);
    }
    for (double db = std::ceil(low_db_ / 20) * 20; db <= high_db_; db += 20) {
      const double y = kTop + kSpectrogram * (high_db_ - db) / (high_db_ - low_db_);
      tick(x + w, y, x + w + 4, y);
      text(x + w + 8, y + 4, fmt::format("{:.0f} dB", db).replace(0, db < 0 ? 1 : 0, db < 0 ? "−" : ""), 11,
           Align::kStart, 0.35);
    }
  }

  double x_of(double seconds) const { return kLeft + width_ * std::clamp(seconds / duration_s_, 0.0, 1.0); }

  void timeline(const std::vector<std::size_t>& rows) {
    const double top = kTop + kSpectrogram + kGap;
    text(kLeft, top - 12, "tags", 12, Align::kStart, 0.35);
    const auto& segments = scores_.segments();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double y = top + kRow * static_cast<double>(r);
      const Rgb color = kTagColors[r % kTagColors.size()];
      if (r % 2 == 1) {
        cairo_set_source_rgb(cr_, 0.965, 0.965, 0.97);
        cairo_rectangle(cr_, kLeft, y, width_, kRow);
        cairo_fill(cr_);
      }
      for (std::size_t k = 0; k < segments.size(); ++k) {
        const double begin = x_of(segments[k].start_s);
        const bool overlapped = k + 1 < segments.size() && segments[k + 1].start_s < segments[k].end_s;
        const double end = x_of(overlapped ? segments[k + 1].start_s : segments[k].end_s);
        const double score = static_cast<double>(segments[k].scores[rows[r]]);
        cairo_set_source_rgba(cr_, color.r, color.g, color.b, std::clamp(score, 0.0, 1.0));
        cairo_rectangle(cr_, begin, y + 4, std::max(end - begin - (end - begin > 8 ? 1.5 : 0.0), 0.5),
                        kRow - 8);
        cairo_fill(cr_);
        if (end - begin > 38 && score >= 0.01) {
          const bool dark = score * (1.0 - 0.3 * color.r - 0.59 * color.g - 0.11 * color.b) > 0.33;
          text((begin + end) / 2, y + kRow / 2 + 4, fmt::format("{:.0f} %", 100 * score), 11, Align::kCenter,
               dark ? 1.0 : 0.25);
        }
      }
      text(kLeft - 12, y + kRow / 2 + 4.5, fitting(single_line(tags_[rows[r]]), 13, kLeft - 24), 13,
           Align::kEnd, 0.1);
    }
    frame(top, kRow * static_cast<double>(std::max<std::size_t>(rows.size(), 1)));
  }

  std::string time_text(double seconds, double step) const {
    if (duration_s_ < 60) return step < 1 ? fmt::format("{:.1f}", seconds) : fmt::format("{:.0f}", seconds);
    const auto s = static_cast<long long>(std::llround(seconds));
    if (duration_s_ < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
    return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  }

  void time_axis(double y) {
    constexpr double kSteps[] = {0.1, 0.2, 0.5, 1,    2,    5,    10,    15,    30,    60,    120,
                                 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800};
    double step = kSteps[0];
    for (const double candidate : kSteps) {
      step = candidate;
      if (duration_s_ / step <= 12.0) break;
    }
    for (int i = 0; i * step <= duration_s_ * 1.0001; ++i) {
      const double x = x_of(i * step);
      tick(x, y, x, y + 5);
      tick(x, kTop + kSpectrogram, x, kTop + kSpectrogram + 5);
      text(x, y + 20, time_text(i * step, step), 12, Align::kCenter);
    }
    text(kLeft + width_ / 2, y + 41,
         duration_s_ < 60     ? "time, s"
         : duration_s_ < 3600 ? "time, min:s"
                              : "time, h:min:s",
         12, Align::kCenter, 0.35);
  }

  // Scales of grey stand for every row's own colour.
  void score_legend() {
    const double x = kLeft + width_ + 20, y = kTop + kSpectrogram + kGap, h = kRow * 2;
    text(x, y - 12, "score", 12, Align::kStart, 0.35);
    for (int i = 0; i < static_cast<int>(h); ++i) {
      ink(1.0 - 0.75 * (1.0 - i / (h - 1)));
      cairo_rectangle(cr_, x, y + i, 14, 1.6);
      cairo_fill(cr_);
    }
    cairo_set_line_width(cr_, 1);
    ink(0.7);
    cairo_rectangle(cr_, x + 0.5, y + 0.5, 13, h);
    cairo_stroke(cr_);
    text(x + 22, y + 8, "100 %", 11, Align::kStart, 0.35);
    text(x + 22, y + h + 2, "0 %", 11, Align::kStart, 0.35);
  }

  cairo_t* cr_;
  const SpectrogramStrip& spectrogram_;
  const ScoreStrip& scores_;
  double duration_s_;
  const std::vector<std::string>& tags_;
  const PictureOptions& options_;
  double width_;
  double low_db_ = -80.0, high_db_ = 0.0;
};

// The tags with the largest scores anywhere, largest first.
std::vector<std::size_t> shown_tags(const ScoreStrip& scores, std::size_t n_tags, int max_rows) {
  std::vector<float> peak(n_tags, 0.0f);
  for (const SegmentScores& segment : scores.segments()) {
    for (std::size_t k = 0; k < n_tags; ++k) peak[k] = std::max(peak[k], segment.scores[k]);
  }
  std::vector<std::size_t> order = select_tags(peak, {{}, max_rows});
  while (order.size() > 3 && peak[order.back()] < kTold) order.pop_back();
  return order;
}

}  // namespace

void draw_picture(const std::filesystem::path& path, const SpectrogramStrip& spectrogram,
                  const ScoreStrip& scores, double duration_s, const std::vector<std::string>& tags,
                  const PictureOptions& options) {
  const std::vector<std::size_t> rows = shown_tags(scores, tags.size(), options.max_rows);
  const int height = static_cast<int>(kTop + kSpectrogram + kGap + kBottom +
                                      kRow * static_cast<double>(std::max<std::size_t>(rows.size(), 2)));
  const bool svg = lower_extension(path) == ".svg";
  std::vector<std::byte> bytes;
  const std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface(
      svg ? cairo_svg_surface_create_for_stream(&collect, &bytes, options.width, height)
          : cairo_image_surface_create(CAIRO_FORMAT_RGB24, options.width, height),
      &cairo_surface_destroy);
  const std::unique_ptr<cairo_t, decltype(&cairo_destroy)> cr(cairo_create(surface.get()), &cairo_destroy);
  Painter(cr.get(), spectrogram, scores, duration_s, tags, options).draw(rows);
  if (!svg) cairo_surface_write_to_png_stream(surface.get(), &collect, &bytes);
  cairo_surface_finish(surface.get());
  const cairo_status_t status = cairo_status(cr.get()) != CAIRO_STATUS_SUCCESS
                                    ? cairo_status(cr.get())
                                    : cairo_surface_status(surface.get());
  if (status != CAIRO_STATUS_SUCCESS || bytes.empty())
    throw Error(ErrorCode::kIo,
                fmt::format("cannot draw {}: {}", path.string(), cairo_status_to_string(status)));
  if (!options.provenance.empty()) {
    svg ? add_text_to_svg(bytes, options.provenance) : add_text_to_png(bytes, options.provenance);
  }
  write_bytes(path, bytes);
}

}  // namespace earmark
