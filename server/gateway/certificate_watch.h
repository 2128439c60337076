#ifndef WSROUTER_GATEWAY_CERTIFICATE_WATCH_H_
#define WSROUTER_GATEWAY_CERTIFICATE_WATCH_H_

#include <array>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/certificate.h"
#include "base/clock.h"
#include "base/small_file.h"

namespace wsrouter {

// Looks once a second, on a thread of its own, whether the files of a certificate have changed, and
// tells of each new one that is fit for use. What is not is logged, and the old stays in use.
class CertificateWatch {
 public:
  using Changed = std::function<void(std::shared_ptr<const Certificate>)>;

  // Looks before it returns, and calls `changed` with what is there; from then on its thread does.
  static std::unique_ptr<CertificateWatch> Start(const TlsFiles& files, Changed changed,
                                                 const Clock& clock);
  ~CertificateWatch();
  CertificateWatch(const CertificateWatch&) = delete;

 private:
  CertificateWatch(const TlsFiles& files, Changed changed, const Clock& clock)
      : files_(files), changed_(std::move(changed)), clock_(clock) {}
  void Main();
  void Read();
  std::array<FileStamp, 2> Stamps() const { return {StampOf(files_.cert), StampOf(files_.key)}; }

  const TlsFiles files_;
  const Changed changed_;
  const Clock& clock_;
  std::array<FileStamp, 2> stamps_;
  absl::Mutex mutex_;
  absl::CondVar ended_;
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_CERTIFICATE_WATCH_H_
