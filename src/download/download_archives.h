// download_archives.h: the call that the download module exports; within the module and its tests.
#pragma once
#include "download/download.h"

namespace earmark {

/// See DownloadFn.
DownloadResult download_archives(const DownloadRequest& request);

}  // namespace earmark
