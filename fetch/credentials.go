package fetch

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	sdkcredentials "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/credentials-go/credentials/providers"

	"peerconf/vpn"
)

// CredentialsOrder is where credentials are looked for; the first place that
// has any is taken, and no other is asked if they turn out wrong.
const CredentialsOrder = `--profile; the environment (ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, ` +
	`ALIBABA_CLOUD_SECURITY_TOKEN beside them; ALIBABA_CLOUD_OIDC_TOKEN_FILE; ALIBABA_CLOUD_CREDENTIALS_URI); ` +
	`the profile that ALIBABA_CLOUD_PROFILE names, else the current one, of ~/.aliyun/config.json; the RAM role of the ECS instance`

type provider = providers.CredentialsProvider

// places are CredentialsOrder as code. Each gives nil where it has nothing.
var places = []func(profile string) (provider, error){
	func(name string) (provider, error) {
		if name == "" {
			return nil, nil
		}
		return fromProfile(name)
	},
	func(string) (provider, error) { return fromEnvironment() },
	func(string) (provider, error) { return fromProfile("") },
	func(string) (provider, error) { return fromMetadata() },
}

// signer gives the SDK the credentials that sign a request, and keeps them out
// of texts. It may be used by several goroutines, which providers may not.
type signer struct {
	mu       sync.Mutex
	from     provider
	metadata bool // asked only because nothing else is set
	secrets  []string
}

// credentialsError is a failure to get credentials, without what the provider
// said: that may be a whole answer with a token in it.
type credentialsError struct{ reason, hint string }

func (e *credentialsError) Error() string { return e.reason }

const noCredentialsHint = "aliyun configure, or set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"

// newSigner finds the credentials of the run and gets them once, so that a
// fault is told before anything is asked for.
func newSigner(profile string) (*signer, error) {
	for i, place := range places {
		from, err := place(profile)
		if err != nil {
			return nil, err
		}
		if from == nil {
			continue
		}
		s := &signer{from: from, metadata: i == len(places)-1}
		if _, err := s.GetCredentials(); err != nil {
			why := err.(*credentialsError)
			return nil, vpn.Problem{Reason: why.reason, Hint: why.hint}
		}
		return s, nil
	}
	return nil, vpn.Problem{Reason: "no credentials", Hint: noCredentialsHint}
}

func (s *signer) GetCredentials() (*sdkcredentials.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.from.GetCredentials()
	if err != nil && s.metadata {
		return nil, &credentialsError{"no credentials: none are set, and this is no ECS instance with a RAM role", noCredentialsHint}
	}
	if err != nil {
		return nil, refused(s.from.GetProviderName(), err)
	}
	s.secrets = nil
	for _, secret := range []string{c.AccessKeySecret, c.SecurityToken, c.AccessKeyId} {
		if secret != "" {
			s.secrets = append(s.secrets, secret, url.QueryEscape(secret), url.PathEscape(secret), url.QueryEscape(url.QueryEscape(secret)))
		}
	}
	return &sdkcredentials.Credentials{AccessKeyId: c.AccessKeyId, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken, ProviderName: c.ProviderName}, nil
}

func (s *signer) GetProviderName() string { return s.from.GetProviderName() }

// scrub keeps a text of the API or the network only if it holds nothing of the
// credentials.
func (s *signer) scrub(said string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range append(s.secrets, "Signature=", "Signature%", "to sign") {
		if strings.Contains(said, secret) {
			return ""
		}
	}
	return said
}

// errorCode finds what Alibaba's STS says in a provider's text.
var errorCode = regexp.MustCompile(`"Code"\s*:\s*"([A-Za-z.]{1,80})"`)

func refused(name string, err error) *credentialsError {
	reason := "credentials could not be had through " + name
	if code := errorCode.FindStringSubmatch(err.Error()); code != nil {
		reason += ": " + code[1]
	} else if timedOut(err) || noSuchHost(err) || dropped(err) {
		reason += ": the network does not reach it"
	}
	return &credentialsError{reason, "check with: aliyun sts GetCallerIdentity"}
}

// fromEnvironment takes what is set on purpose. Half a key is a fault.
func fromEnvironment() (provider, error) {
	id, secret, token := getenv("ACCESS_KEY_ID"), getenv("ACCESS_KEY_SECRET"), getenv("SECURITY_TOKEN")
	switch {
	case id != "" && secret != "" && token != "":
		return providers.NewStaticSTSCredentialsProviderBuilder().WithAccessKeyId(id).WithAccessKeySecret(secret).WithSecurityToken(token).Build()
	case id != "" && secret != "":
		return providers.NewStaticAKCredentialsProviderBuilder().WithAccessKeyId(id).WithAccessKeySecret(secret).Build()
	case id != "" || secret != "":
		return nil, vpn.Problem{Reason: "of ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET only one is set", Hint: "set both, or none"}
	case os.Getenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE") != "":
		p, err := providers.NewOIDCCredentialsProviderBuilder().Build()
		return built(p, err, "ALIBABA_CLOUD_OIDC_TOKEN_FILE", "set ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_ROLE_ARN beside it")
	case os.Getenv("ALIBABA_CLOUD_CREDENTIALS_URI") != "":
		p, err := providers.NewURLCredentialsProviderBuilder().WithUrl(os.Getenv("ALIBABA_CLOUD_CREDENTIALS_URI")).Build()
		return built(p, err, "ALIBABA_CLOUD_CREDENTIALS_URI", "set it to a URL that answers with credentials")
	}
	return nil, nil
}

// fromMetadata is nil where ALIBABA_CLOUD_ECS_METADATA_DISABLED says so.
func fromMetadata() (provider, error) {
	if on("ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
		return nil, nil
	}
	p, err := providers.NewECSRAMRoleCredentialsProviderBuilder().Build()
	return built(p, err, "ECS metadata", noCredentialsHint)
}

// built makes a provider's refusal to be set up a problem. Such a refusal
// names what is missing, never what is there.
func built[P provider](p P, err error, field, hint string) (provider, error) {
	if err != nil {
		return nil, vpn.Problem{Field: field, Reason: err.Error(), Hint: hint}
	}
	return p, nil
}

func fromProfile(name string) (provider, error) {
	p, err := readProfile(name)
	if p == nil || err != nil {
		return nil, err
	}
	if name == "" && p.Mode == "AK" && p.AccessKeyID == "" && p.AccessKeySecret == "" {
		return nil, nil // as the aliyun CLI makes it before it is configured
	}
	return p.provider(0)
}

// sourceProfile gives the credentials of the profile that source_profile names.
type sourceProfile func() (provider, error)

// profileModes are the ways in which a profile may hold credentials.
var profileModes = map[string]func(*profile, sourceProfile) (provider, error){
	"AK": func(p *profile, _ sourceProfile) (provider, error) {
		return providers.NewStaticAKCredentialsProviderBuilder().WithAccessKeyId(p.AccessKeyID).WithAccessKeySecret(p.AccessKeySecret).Build()
	},
	"StsToken": stsToken,
	"RamRoleArn": func(p *profile, _ sourceProfile) (provider, error) {
		key, err := providers.NewStaticAKCredentialsProviderBuilder().WithAccessKeyId(p.AccessKeyID).WithAccessKeySecret(p.AccessKeySecret).Build()
		if err != nil {
			return nil, err
		}
		return p.assume(key)
	},
	"EcsRamRole": func(p *profile, _ sourceProfile) (provider, error) {
		return providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(p.RoleName).Build()
	},
	"OIDC": func(p *profile, _ sourceProfile) (provider, error) {
		return providers.NewOIDCCredentialsProviderBuilder().WithOIDCToken(p.OIDCToken).WithOIDCTokenFilePath(p.OIDCTokenFile).
			WithOIDCProviderARN(p.OIDCProviderArn).WithRoleArn(p.RoleArn).WithRoleSessionName(p.RoleSessionName).
			WithDurationSeconds(p.DurationSeconds).WithStsRegionId(p.StsRegion).WithEnableVpc(p.EnableVpc).WithPolicy(p.Policy).Build()
	},
	"ChainableRamRoleArn": func(p *profile, source sourceProfile) (provider, error) {
		from, err := source()
		if err != nil {
			return nil, err
		}
		return p.assume(from)
	},
	"CloudSSO": func(p *profile, _ sourceProfile) (provider, error) {
		if !strings.HasPrefix(p.SsoSignInURL, "https://") {
			return nil, errors.New("cloud_sso_sign_in_url is no https URL")
		}
		return providers.NewCloudSSOCredentialsProviderBuilder().WithSignInUrl(p.SsoSignInURL).WithAccountId(p.SsoAccountID).
			WithAccessConfig(p.SsoAccessConfig).WithAccessToken(p.SsoAccessToken).WithAccessTokenExpire(p.SsoTokenExpire).Build()
	},
	// The refresh token of OAuth is good for one use, and the aliyun CLI keeps
	// its file: so only what it has stored is taken.
	"OAuth": func(p *profile, source sourceProfile) (provider, error) {
		if p.StsExpire <= time.Now().Unix() {
			return nil, errors.New("the session has expired")
		}
		return stsToken(p, source)
	},
	"CredentialsURI": func(p *profile, _ sourceProfile) (provider, error) {
		return providers.NewURLCredentialsProviderBuilder().WithUrl(p.CredentialsURI).Build()
	},
}

func stsToken(p *profile, _ sourceProfile) (provider, error) {
	return providers.NewStaticSTSCredentialsProviderBuilder().
		WithAccessKeyId(p.AccessKeyID).WithAccessKeySecret(p.AccessKeySecret).WithSecurityToken(p.SecurityToken).Build()
}

// assume gives the credentials of the profile's role, got with those of from.
func (p *profile) assume(from provider) (provider, error) {
	return providers.NewRAMRoleARNCredentialsProviderBuilder().WithCredentialsProvider(from).
		WithRoleArn(p.RoleArn).WithRoleSessionName(p.RoleSessionName).WithDurationSeconds(p.DurationSeconds).
		WithStsRegionId(p.StsRegion).WithEnableVpc(p.EnableVpc).WithPolicy(p.Policy).WithExternalId(p.ExternalID).Build()
}

// provider sets up what the profile's mode asks for. depth counts the profiles
// that lead here.
func (p *profile) provider(depth int) (provider, error) {
	build, ok := profileModes[p.Mode]
	if !ok {
		return nil, vpn.Problem{Field: "profile", Value: p.Name, Reason: fmt.Sprintf("peerconf cannot sign in by mode %q", p.Mode),
			Hint: "let the aliyun CLI fetch: aliyun vpc DescribeVpnConnections --profile " + p.Name + " --RegionId " + cmp.Or(p.RegionID, "cn-hangzhou") + " | peerconf render --target TARGET -"}
	}
	from, err := build(p, func() (provider, error) {
		if p.SourceProfile == "" || depth > 8 {
			return nil, errors.New("source_profile is missing or leads in a circle")
		}
		source, err := readProfile(p.SourceProfile)
		if err != nil {
			return nil, err
		}
		return source.provider(depth + 1)
	})
	if isA[vpn.Problem](err) {
		return nil, err
	}
	return built(from, err, "profile "+p.Name, "aliyun configure --profile "+p.Name+" --mode "+p.Mode)
}
