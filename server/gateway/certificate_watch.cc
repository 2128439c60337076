#include "gateway/certificate_watch.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1);

}  // namespace

std::unique_ptr<CertificateWatch> CertificateWatch::Start(const TlsFiles& files, Changed changed,
                                                          const Clock& clock) {
  std::unique_ptr<CertificateWatch> watch(new CertificateWatch(files, std::move(changed), clock));
  watch->Read();
  watch->thread_ = std::thread([raw = watch.get()] { raw->Main(); });
  return watch;
}

CertificateWatch::~CertificateWatch() {
  {
    absl::MutexLock lock(&mutex_);
    end_ = true;
    ended_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void CertificateWatch::Main() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (!end_) ended_.WaitWithTimeout(&mutex_, kPeriod);
      if (end_) return;
    }
    if (Stamps() != stamps_) Read();
  }
}

void CertificateWatch::Read() {
  stamps_ = Stamps();  // before the files: a change meanwhile is seen the next time
  absl::StatusOr<Certificate> read = ReadCertificate(files_, clock_.Now().wall);
  if (read.ok()) return changed_(std::make_shared<const Certificate>(*std::move(read)));
  Log(LogLevel::kWarning, "certificate_refused",
      {{"port", "gateway"}, {"why", StdView(read.status().message())}});
}

}  // namespace wsrouter
