#include "agent/sources/host_facts.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temporary_folder.h"

namespace forewarn::agent {
namespace {

using ::forewarn::testing::TemporaryFolder;

class HostFactsTest : public ::testing::Test {
 protected:
  v1::EndpointFacts Read() { return ReadFacts(files_, config_); }
  v1::EndpointClass Class() { return Read().endpoint_class(); }
  void Dmi(const std::string& field, const std::string& text) {
    folder_.Write("sys/class/dmi/id/" + field, text + "\n");
  }

  TemporaryFolder folder_;
  HostFiles files_{folder_.path()};
  v1::AgentConfig config_;
};

TEST_F(HostFactsTest, ReadsALaptop) {
  folder_.Write("etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
                "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"
                "VERSION=\"12 (bookworm)\"\nID=debian\n");
  folder_.Write("proc/sys/kernel/hostname", "anna-laptop\n");
  folder_.Write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  folder_.Write("proc/sys/kernel/arch", "x86_64\n");
  folder_.Write("proc/cpuinfo",
                "processor\t: 0\nflags\t\t: fpu vme\n\n"
                "processor\t: 1\nflags\t\t: fpu vme\n");
  folder_.Write("proc/meminfo", "MemTotal:       16000 kB\nMemFree: 1 kB\n");
  folder_.Write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  Dmi("sys_vendor", "LENOVO");
  Dmi("product_name", "20XW0055GE");
  Dmi("chassis_type", "10");
  config_.set_site("oslo");
  config_.add_tags("finance");
  config_.set_owner("anna");

  const v1::EndpointFacts facts = Read();
  EXPECT_EQ(facts.host_name(), "anna-laptop");
  EXPECT_EQ(facts.os_name(), "Debian GNU/Linux");
  EXPECT_EQ(facts.os_version(), "12 (bookworm)");
  EXPECT_EQ(facts.kernel(), "6.1.0-18-amd64");
  EXPECT_EQ(facts.architecture(), "x86_64");
  EXPECT_EQ(facts.vendor(), "LENOVO");
  EXPECT_EQ(facts.model(), "20XW0055GE");
  EXPECT_EQ(facts.virtualization(), "");
  EXPECT_EQ(facts.cpu_count(), 2u);
  EXPECT_EQ(facts.memory_bytes(), 16000u * 1024);
  EXPECT_EQ(facts.endpoint_class(), v1::ENDPOINT_CLASS_LAPTOP);
  EXPECT_EQ(facts.site(), "oslo");
  EXPECT_EQ(facts.tags(0), "finance");
  EXPECT_EQ(facts.owner(), "anna");
  // The machine id itself does not leave the machine.
  EXPECT_EQ(facts.host_id().size(), 32u);
  EXPECT_NE(facts.host_id(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(facts.host_id(), Read().host_id());
}

TEST_F(HostFactsTest, AnEmptyMachineIsAServerOfUnknownFacts) {
  const v1::EndpointFacts facts = Read();
  EXPECT_EQ(facts.endpoint_class(), v1::ENDPOINT_CLASS_SERVER);
  EXPECT_EQ(facts.host_name(), "");
  EXPECT_EQ(facts.host_id(), "");
  EXPECT_EQ(facts.cpu_count(), 0u);
}

TEST_F(HostFactsTest, PlaceholdersOfMakersAreNoFacts) {
  Dmi("sys_vendor", "To Be Filled By O.E.M.");
  Dmi("product_name", "System Product Name");
  EXPECT_EQ(Read().vendor(), "");
  EXPECT_EQ(Read().model(), "");
}

TEST_F(HostFactsTest, ABoardIsNamedByItsDeviceTree) {
  folder_.Write("proc/device-tree/model",
                std::string("Raspberry Pi 4 Model B\0", 23));
  EXPECT_EQ(Read().model(), "Raspberry Pi 4 Model B");
}

TEST_F(HostFactsTest, HostileTextsAreCleanedAndCut) {
  Dmi("product_name", "a\x1b[31mb" + std::string(1000, 'x'));
  EXPECT_THAT(Read().model(), ::testing::StartsWith("a\xEF\xBF\xBD[31mb"));
  EXPECT_EQ(Read().model().size(), 256u);
}

TEST_F(HostFactsTest, VersionIdStandsInForVersion) {
  folder_.Write("usr/lib/os-release",
                "NAME='Arch \\\"Linux'\nVERSION_ID=2024\nVERSION\n");
  EXPECT_EQ(Read().os_name(), "Arch \"Linux");
  EXPECT_EQ(Read().os_version(), "2024");
}

TEST_F(HostFactsTest, ClassComesFromTheChassis) {
  for (const auto& [chassis, expected] :
       {std::pair{"3", v1::ENDPOINT_CLASS_WORKSTATION},
        {"35", v1::ENDPOINT_CLASS_WORKSTATION},
        {"9", v1::ENDPOINT_CLASS_LAPTOP},
        {"31", v1::ENDPOINT_CLASS_LAPTOP},
        {"23", v1::ENDPOINT_CLASS_SERVER},
        {"33", v1::ENDPOINT_CLASS_DEVICE},
        {"1", v1::ENDPOINT_CLASS_SERVER},
        {"garbled", v1::ENDPOINT_CLASS_SERVER},
        {"1e300", v1::ENDPOINT_CLASS_SERVER}}) {
    Dmi("chassis_type", chassis);
    EXPECT_EQ(Class(), expected) << chassis;
  }
}

TEST_F(HostFactsTest, ABatteryMakesALaptopUnlessItIsAMousesOwn) {
  folder_.Write("sys/class/power_supply/hidpp_battery_0/type", "Battery\n");
  folder_.Write("sys/class/power_supply/hidpp_battery_0/scope", "Device\n");
  EXPECT_EQ(Class(), v1::ENDPOINT_CLASS_SERVER);
  folder_.Write("sys/class/power_supply/BAT0/type", "Battery\n");
  EXPECT_EQ(Class(), v1::ENDPOINT_CLASS_LAPTOP);
}

TEST_F(HostFactsTest, AVirtualMachineIsAServerWhateverItsChassis) {
  Dmi("chassis_type", "3");
  Dmi("sys_vendor", "QEMU");
  EXPECT_EQ(Read().virtualization(), "kvm");
  EXPECT_EQ(Class(), v1::ENDPOINT_CLASS_SERVER);
}

TEST_F(HostFactsTest, TheConfigurationOverridesTheClass) {
  Dmi("chassis_type", "9");
  config_.set_endpoint_class("device");
  EXPECT_EQ(Class(), v1::ENDPOINT_CLASS_DEVICE);
  config_.set_endpoint_class("auto");
  EXPECT_EQ(Class(), v1::ENDPOINT_CLASS_LAPTOP);
}

TEST_F(HostFactsTest, KnowsHypervisors) {
  struct Case {
    const char* vendor;
    const char* product;
    const char* expected;
  };
  for (const Case& test :
       {Case{"VMware, Inc.", "VMware Virtual Platform", "vmware"},
        Case{"innotek GmbH", "VirtualBox", "virtualbox"},
        Case{"Microsoft Corporation", "Virtual Machine", "hyperv"},
        Case{"Microsoft Corporation", "Surface Laptop 4", ""},
        Case{"Xen", "HVM domU", "xen"}, Case{"Red Hat", "KVM", "kvm"},
        Case{"Dell Inc.", "PowerEdge R740", ""}}) {
    Dmi("sys_vendor", test.vendor);
    Dmi("product_name", test.product);
    EXPECT_EQ(ReadVirtualization(files_), test.expected) << test.vendor;
  }
}

TEST_F(HostFactsTest, TheHypervisorFlagTellsOfTheOthers) {
  folder_.Write("proc/cpuinfo", "flags\t\t: fpu hypervisor lm\n");
  EXPECT_EQ(ReadVirtualization(files_), "vm");
  Dmi("sys_vendor", "Amazon EC2");
  EXPECT_EQ(ReadVirtualization(files_), "amazon");
  // The same maker's bare metal.
  folder_.Write("proc/cpuinfo", "flags\t\t: fpu lm\n");
  EXPECT_EQ(ReadVirtualization(files_), "");
}

TEST_F(HostFactsTest, KnowsContainers) {
  folder_.Write(".dockerenv", "");
  EXPECT_EQ(ReadVirtualization(files_), "docker");
  folder_.Write("run/systemd/container", "lxc\n");
  EXPECT_EQ(ReadVirtualization(files_), "lxc");
}

TEST_F(HostFactsTest, ReadsTheBootId) {
  EXPECT_EQ(ReadBootId(files_), "");
  folder_.Write("proc/sys/kernel/random/boot_id",
                "b1c5e6a0-0000-4000-8000-000000000000\n");
  EXPECT_EQ(ReadBootId(files_), "b1c5e6a0-0000-4000-8000-000000000000");
}

}  // namespace
}  // namespace forewarn::agent
