package fetch

import (
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"

	"peerconf/vpn"
)

// endpoint is where calls go.
type endpoint struct{ scheme, host string } // host may have a port

// central are the public regions without an endpoint of their own, as the SDK
// for VPC has them.
var central = map[string]bool{
	"cn-hangzhou": true, "cn-wuhan": true, "cn-fujian": true, "cn-zhangbei": true,
	"cn-beijing-gov-1": true, "cn-north-2-gov-1": true,
	"cn-hangzhou-finance": true, "cn-shanghai-finance-1": true, "cn-shenzhen-finance-1": true,
}

func regionEndpoint(region string) endpoint {
	if central[region] {
		return endpoint{"https", "vpc.aliyuncs.com"}
	}
	return endpoint{"https", "vpc." + region + ".aliyuncs.com"}
}

// parseEndpoint reads --endpoint: a host, or a URL of one. Plain HTTP reaches
// this machine only, since requests are signed and answers hold keys.
func parseEndpoint(said string) (endpoint, error) {
	if said == "" {
		return endpoint{}, nil
	}
	refuse := func(reason string) (endpoint, error) {
		return endpoint{}, vpn.Problem{Field: "--endpoint", Value: withoutUser(said), Reason: reason, Hint: "write it as in --endpoint https://vpc.cn-shanghai.aliyuncs.com"}
	}
	if !strings.Contains(said, "://") {
		said = "https://" + said
	}
	u, err := url.Parse(said)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return refuse("not a host, or a URL of one alone")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return refuse("plain HTTP would show keys to the network")
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("want https")
	}
	return endpoint{u.Scheme, u.Host}, nil
}

// withoutUser cuts off what may be a password.
func withoutUser(said string) string {
	if i := strings.LastIndexByte(said, '@'); i >= 0 {
		return "…" + said[i:]
	}
	return said
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// regions are those of the query, else the environment's, else the profile's.
func regions(q Query) ([]string, error) {
	all := q.Regions
	if len(all) == 0 {
		region, err := defaultRegion(q.Profile)
		if err != nil {
			return nil, err
		}
		all = []string{region}
	}
	for i, r := range all {
		if strings.Trim(r, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || r == "" {
			return nil, vpn.Problem{Field: "--region", Value: r, Reason: "not a region's id", Hint: "write it as in --region cn-hangzhou"}
		}
		for _, before := range all[:i] {
			if r == before {
				return nil, vpn.Problem{Field: "--region", Value: r, Reason: "given twice", Hint: "give each region once"}
			}
		}
	}
	return all, nil
}

// ofZone is the region that a zone is in: cn-hangzhou of cn-hangzhou-h,
// ap-southeast-1 of ap-southeast-1a.
func ofZone(zone string) string {
	if found := zoneForm.FindStringSubmatch(zone); found != nil {
		return found[1] + found[2]
	}
	return ""
}

var zoneForm = regexp.MustCompile(`^(?:([a-z]+(?:-[a-z0-9]+)+)-[a-z]|([a-z]+(?:-[a-z0-9]+)*-[0-9]+)[a-z])$`)

func defaultRegion(profile string) (string, error) {
	if region := getenv("REGION_ID"); region != "" {
		return region, nil
	}
	p, err := readProfile(profile)
	if err != nil {
		return "", err
	}
	if p != nil && p.RegionID != "" {
		return p.RegionID, nil
	}
	return "", vpn.Problem{Field: "--region", Reason: "which region?", Hint: "--region cn-hangzhou, or ALIBABA_CLOUD_REGION_ID, or region_id of the profile"}
}

// getenv looks a name up the ways Alibaba's tools spell it.
func getenv(name string) string {
	for _, prefix := range []string{"ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_"} {
		if v := os.Getenv(prefix + name); v != "" {
			return v
		}
	}
	return ""
}
