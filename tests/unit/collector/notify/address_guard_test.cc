#include "collector/notify/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>

#include "gtest/gtest.h"

namespace forewarn::notify {
namespace {

AddressKind Kind(const std::string& text) {
  sockaddr_in ipv4{};
  if (inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    return KindOf(reinterpret_cast<const sockaddr*>(&ipv4));
  }
  sockaddr_in6 ipv6{};
  EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
  ipv6.sin6_family = AF_INET6;
  return KindOf(reinterpret_cast<const sockaddr*>(&ipv6));
}

TEST(AddressGuardTest, KnowsPublicAddresses) {
  for (const char* address :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "192.167.255.255",
        "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1"}) {
    EXPECT_EQ(Kind(address), AddressKind::kPublic) << address;
  }
}

TEST(AddressGuardTest, KnowsPrivateAddresses) {
  for (const char* address :
       {"0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "::", "fc00::1", "fd12::1", "fe80::1", "ff02::1",
        "2001:db8::1"}) {
    EXPECT_EQ(Kind(address), AddressKind::kPrivate) << address;
  }
}

TEST(AddressGuardTest, SeesThroughEmbeddedAddresses) {
  EXPECT_EQ(Kind("::ffff:127.0.0.1"), AddressKind::kLoopback);
  EXPECT_EQ(Kind("::ffff:10.0.0.1"), AddressKind::kPrivate);
  EXPECT_EQ(Kind("64:ff9b::a9fe:a9fe"), AddressKind::kPrivate);
  EXPECT_EQ(Kind("2002:a9fe:a9fe::"), AddressKind::kPrivate);
  EXPECT_EQ(Kind("::ffff:8.8.8.8"), AddressKind::kPublic);
}

TEST(AddressGuardTest, KnowsLoopback) {
  EXPECT_EQ(Kind("127.0.0.1"), AddressKind::kLoopback);
  EXPECT_EQ(Kind("127.8.8.8"), AddressKind::kLoopback);
  EXPECT_EQ(Kind("::1"), AddressKind::kLoopback);
}

TEST(AddressGuardTest, LoopbackNamesHaveTheirUsualForm) {
  EXPECT_TRUE(IsLoopbackName("127.0.0.1"));
  EXPECT_TRUE(IsLoopbackName("[::1]"));
  EXPECT_TRUE(IsLoopbackName("localhost"));
  EXPECT_FALSE(IsLoopbackName("127.1"));
  EXPECT_FALSE(IsLoopbackName("2130706433"));
  EXPECT_FALSE(IsLoopbackName("[::ffff:127.0.0.1]"));
  EXPECT_FALSE(IsLoopbackName("localhost.example"));
}

}  // namespace
}  // namespace forewarn::notify
