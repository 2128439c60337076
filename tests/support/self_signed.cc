#include "tests/support/self_signed.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <memory>

namespace wsrouter {
namespace {

using File = std::unique_ptr<FILE, int (*)(FILE*)>;

File Create(const std::string& path) {
  File file(fopen(path.c_str(), "w"), fclose);
  EXPECT_NE(file, nullptr) << path;
  return file;
}

}  // namespace

SelfSigned::SelfSigned() : folder_(std::filesystem::temp_directory_path() / "wsrouter-tls-XXXXXX") {
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 24 * 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME* name = X509_get_subject_name(cert.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(cert.get(), name);
  EXPECT_GT(X509_sign(cert.get(), key.get(), EVP_sha256()), 0);
  EXPECT_EQ(PEM_write_X509(Create(cert_file()).get(), cert.get()), 1);
  EXPECT_EQ(PEM_write_PrivateKey(Create(key_file()).get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr),
            1);
}

SelfSigned::~SelfSigned() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace wsrouter
