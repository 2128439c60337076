#ifndef WSROUTER_TESTS_SUPPORT_SELF_SIGNED_H_
#define WSROUTER_TESTS_SUPPORT_SELF_SIGNED_H_

#include <string>

namespace wsrouter {

// A new key and a certificate for localhost signed by itself, in a folder of their own that goes
// with the object.
class SelfSigned {
 public:
  SelfSigned();
  ~SelfSigned();
  SelfSigned(const SelfSigned&) = delete;

  std::string cert_file() const { return folder_ + "/cert.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SELF_SIGNED_H_
