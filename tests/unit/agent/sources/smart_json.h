#ifndef FOREWARN_TESTS_UNIT_AGENT_SOURCES_SMART_JSON_H_
#define FOREWARN_TESTS_UNIT_AGENT_SOURCES_SMART_JSON_H_

// Answers in the form of smartctl 7.3, without the parts that nobody reads.

namespace forewarn::agent {

inline constexpr char kHealthyAta[] = R"json({
  "json_format_version": [1, 0],
  "smartctl": {"version": [7, 3], "exit_status": 0},
  "device": {"name": "/dev/sda", "info_name": "/dev/sda [SAT]",
             "type": "sat", "protocol": "ATA"},
  "model_family": "Western Digital Red",
  "model_name": "WDC WD40EFRX-68N32N0",
  "serial_number": "WD-WCC7K0123456",
  "rotation_rate": 5400,
  "smart_status": {"passed": true},
  "ata_smart_attributes": {"revision": 16, "table": [
    {"id": 1, "name": "Raw_Read_Error_Rate", "value": 200, "worst": 200,
     "thresh": 51, "raw": {"value": 0, "string": "0"}},
    {"id": 5, "name": "Reallocated_Sector_Ct", "value": 200, "worst": 200,
     "thresh": 140, "raw": {"value": 0, "string": "0"}},
    {"id": 9, "name": "Power_On_Hours", "value": 58, "worst": 58,
     "thresh": 0, "raw": {"value": 31234, "string": "31234"}},
    {"id": 10, "name": "Spin_Retry_Count", "value": 100, "worst": 100,
     "thresh": 0, "raw": {"value": 0, "string": "0"}},
    {"id": 194, "name": "Temperature_Celsius", "value": 117, "worst": 108,
     "thresh": 0, "raw": {"value": 33, "string": "33"}},
    {"id": 196, "name": "Reallocated_Event_Count", "value": 200, "worst": 200,
     "thresh": 0, "raw": {"value": 0, "string": "0"}},
    {"id": 197, "name": "Current_Pending_Sector", "value": 200, "worst": 200,
     "thresh": 0, "raw": {"value": 0, "string": "0"}},
    {"id": 198, "name": "Offline_Uncorrectable", "value": 100, "worst": 253,
     "thresh": 0, "raw": {"value": 0, "string": "0"}},
    {"id": 199, "name": "UDMA_CRC_Error_Count", "value": 200, "worst": 200,
     "thresh": 0, "raw": {"value": 2, "string": "2"}}
  ]},
  "power_on_time": {"hours": 31234},
  "power_cycle_count": 60,
  "temperature": {"current": 33}
})json";

inline constexpr char kFailingAta[] = R"json({
  "smartctl": {"version": [7, 3], "exit_status": 88},
  "device": {"name": "/dev/sdb", "type": "sat", "protocol": "ATA"},
  "model_name": "ST3000DM001-1CH166",
  "serial_number": "W1F00000",
  "smart_status": {"passed": false},
  "ata_smart_attributes": {"table": [
    {"id": 5, "name": "Reallocated_Sector_Ct", "value": 1, "worst": 1,
     "thresh": 10, "when_failed": "now", "raw": {"value": 2816}},
    {"id": 187, "name": "Reported_Uncorrect", "value": 9, "worst": 9,
     "thresh": 0, "raw": {"value": 91, "string": "91"}},
    {"id": 188, "name": "Command_Timeout", "value": 100, "worst": 99,
     "thresh": 0, "raw": {"value": 4295032833, "string": "1 1 1"}},
    {"id": 197, "name": "Current_Pending_Sector", "value": 98, "worst": 98,
     "thresh": 0, "raw": {"value": 144, "string": "144"}},
    {"id": 198, "name": "Offline_Uncorrectable", "value": 98, "worst": 98,
     "thresh": 0, "raw": {"value": 144, "string": "144"}}
  ]},
  "power_on_time": {"hours": 40000, "minutes": 30},
  "temperature": {"current": 44}
})json";

inline constexpr char kWornSsd[] = R"json({
  "smartctl": {"exit_status": 0},
  "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"},
  "model_name": "Samsung SSD 860 EVO 500GB",
  "serial_number": "S3Z9NB0K000000A",
  "smart_status": {"passed": true},
  "ata_smart_attributes": {"table": [
    {"id": 5, "name": "Reallocated_Sector_Ct", "value": 100, "worst": 100,
     "thresh": 10, "raw": {"value": 0}},
    {"id": 177, "name": "Wear_Leveling_Count", "value": 63, "worst": 63,
     "thresh": 0, "raw": {"value": 612}}
  ]}
})json";

inline constexpr char kNvme[] = R"json({
  "smartctl": {"version": [7, 3], "exit_status": 0},
  "device": {"name": "/dev/nvme0", "type": "nvme", "protocol": "NVMe"},
  "model_name": "Samsung SSD 970 EVO Plus 1TB",
  "serial_number": "S4EWNX0N123456",
  "nvme_total_capacity": 1000204886016,
  "smart_status": {"passed": true, "nvme": {"value": 0}},
  "nvme_smart_health_information_log": {
    "critical_warning": 4, "temperature": 41, "available_spare": 96,
    "available_spare_threshold": 10, "percentage_used": 3,
    "data_units_read": 36028797018963968, "data_units_written": 25121340,
    "power_cycles": 301, "power_on_hours": 2201, "unsafe_shutdowns": 22,
    "media_errors": 7, "num_err_log_entries": 512},
  "temperature": {"current": 41},
  "power_cycle_count": 301,
  "power_on_time": {"hours": 2201}
})json";

inline constexpr char kAsleep[] = R"json({
  "smartctl": {"version": [7, 3], "messages": [
    {"string": "Device is in STANDBY mode, exit(2)",
     "severity": "information"}], "exit_status": 2},
  "device": {"name": "/dev/sda", "type": "sat", "protocol": "ATA"}
})json";

inline constexpr char kNotPermitted[] = R"json({
  "smartctl": {"version": [7, 3], "messages": [
    {"string": "Smartctl open device: /dev/sda failed: Permission denied",
     "severity": "error"}], "exit_status": 2}
})json";

}  // namespace forewarn::agent

#endif  // FOREWARN_TESTS_UNIT_AGENT_SOURCES_SMART_JSON_H_
