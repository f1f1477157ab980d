// The C name by which the program finds what fetches archives (core/shared_module.h).
#include "download/download_archives.h"

extern "C" {
earmark::DownloadResult earmark_download_archives(const earmark::DownloadRequest& request) {
  return earmark::download_archives(request);
}
}
