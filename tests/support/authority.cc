#include "tests/support/authority.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace wsrouter {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Cert = std::unique_ptr<X509, decltype(&X509_free)>;

template <typename Write>
std::string ToPem(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  EXPECT_EQ(write(out.get()), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

void Extend(X509* cert, int kind, const std::string& value) {
  if (value.empty()) return;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

Cert Unsigned(EVP_PKEY* key, const Subject& subject, long serial) {
  Cert cert(X509_new(), X509_free);
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), absl::ToInt64Seconds(subject.begins_in));
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), absl::ToInt64Seconds(subject.ends_in));
  X509_set_pubkey(cert.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.common_name.c_str()),
                             -1, -1, 0);
  Extend(cert.get(), NID_subject_alt_name, subject.alternative_names);
  return cert;
}

}  // namespace

struct Authority::Signer {
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  Cert cert{nullptr, X509_free};
};

Authority::Authority()
    : folder_(std::filesystem::temp_directory_path() / "wsrouter-ca-XXXXXX"),
      signer_(std::make_unique<Signer>()) {
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  // Two authorities have different names, or one would be taken for the other.
  const std::string name = std::filesystem::path(folder_).filename();
  signer_->cert = Unsigned(signer_->key.get(), {.common_name = name}, serial_++);
  X509_set_issuer_name(signer_->cert.get(), X509_get_subject_name(signer_->cert.get()));
  Extend(signer_->cert.get(), NID_basic_constraints, "critical,CA:TRUE");
  EXPECT_GT(X509_sign(signer_->cert.get(), signer_->key.get(), EVP_sha256()), 0);
  self_.cert = ToPem([&](BIO* out) { return PEM_write_bio_X509(out, signer_->cert.get()); });
  self_.cert_file = Write("ca.pem", self_.cert);
}

Authority::~Authority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Issued Authority::Issue(std::string_view name, const Subject& subject) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Cert cert = Unsigned(key.get(), subject, serial_++);
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer_->cert.get()));
  EXPECT_GT(X509_sign(cert.get(), signer_->key.get(), EVP_sha256()), 0);
  Issued issued;
  issued.cert = ToPem([&](BIO* out) { return PEM_write_bio_X509(out, cert.get()); });
  issued.key = ToPem([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  issued.cert_file = Write(std::string(name) + ".pem", issued.cert);
  issued.key_file = Write(std::string(name) + ".key", issued.key);
  return issued;
}

Issued Authority::IssueServer(absl::Duration ends_in) {
  return Issue("server", {.common_name = "localhost",
                          .alternative_names = "DNS:localhost,IP:127.0.0.1",
                          .ends_in = ends_in});
}

std::string Authority::Write(std::string_view name, std::string_view text) const {
  const std::filesystem::path path = std::filesystem::path(folder_) / name;
  const std::filesystem::path draft = path.string() + ".new";
  std::ofstream(draft, std::ios::binary) << text;
  std::filesystem::rename(draft, path);
  return path;
}

std::string TextOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace wsrouter
