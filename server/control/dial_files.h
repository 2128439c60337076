#ifndef WSROUTER_CONTROL_DIAL_FILES_H_
#define WSROUTER_CONTROL_DIAL_FILES_H_

#include <array>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/certificate.h"
#include "base/clock.h"
#include "base/small_file.h"
#include "control/backend_options.h"
#include "control/timed_thread.h"
#include "grpcpp/security/credentials.h"

namespace wsrouter {

// The files by which services are dialled with TLS, as they are on disk. What changes there is
// taken while the node runs; what is bad, a pair that is half written too, is refused and logged,
// and the old stays in use.
//
// No question waits for the disk: a thread of its own looks once a second.
class DialFiles {
 public:
  using Credentials = std::shared_ptr<grpc::ChannelCredentials>;
  using Changed = absl::AnyInvocable<void(const Credentials&)>;

  // Reads all of them; an error names the keys of the configuration and the file.
  static absl::StatusOr<std::unique_ptr<DialFiles>> Open(const BackendOptions& options,
                                                         const Clock& clock);
  DialFiles(const DialFiles&) = delete;

  // As they were read by Open; without TLS where the options have no authorities.
  const Credentials& first() const { return first_; }

  // Who gets the new ones. Before the first look.
  void OnChange(Changed changed) { changed_ = std::move(changed); }
  // Begins to look.
  void Watch();
  // Looks once, now; one thread at a time. What Watch's thread does.
  void Look();

 private:
  using Stamps = std::array<FileStamp, 3>;

  DialFiles(TlsFiles files, const Clock& clock)
      : files_(std::move(files)), clock_(clock), thread_(clock, 1) {}
  Stamps Stamp() const;
  absl::StatusOr<Credentials> Read() const;
  void LookAgain();

  const TlsFiles files_;  // client_ca: of the services
  const Clock& clock_;
  Credentials first_;
  Stamps stamps_;  // these three: the looking thread's
  bool refused_ = false;
  Changed changed_;
  TimedThread thread_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_DIAL_FILES_H_
