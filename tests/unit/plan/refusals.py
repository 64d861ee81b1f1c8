"""How the API server refuses to create a pod, in its own words, with what a person is to read about it."""

from modelyard.contract.reasons import Reason

FORBIDDEN = 'pods "churn-1-0-x7k2p" is forbidden: '

REFUSALS: list[tuple[str, str, Reason, str, str]] = [
    # name, words of the API server, reason, part of the message, blame
    (
        "no pods",
        f"{FORBIDDEN}exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0",
        Reason.QUOTA_EXCEEDED,
        "ResourceQuota none allows no more pods (asked for 1, used 0 of 0): raise it",
        "world",
    ),
    (
        "two things",
        f"{FORBIDDEN}exceeded quota: q, requested: limits.cpu=2,requests.memory=4Gi, "
        "used: limits.cpu=3,requests.memory=1Gi, limited: limits.cpu=4,requests.memory=4Gi",
        Reason.QUOTA_EXCEEDED,
        "limits.cpu (asked for 2, used 3 of 4), requests.memory (asked for 4Gi, used 1Gi of 4Gi)",
        "world",
    ),
    (
        "a quota on what is not said",
        f"{FORBIDDEN}failed quota: q: must specify limits.cpu for: main; limits.memory for: main",
        Reason.QUOTA_EXCEEDED,
        "ResourceQuota q wants every pod to say limits.cpu, limits.memory: set it in spec.resources",
        "user",
    ),
    (
        "Pod Security",
        f'{FORBIDDEN}violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true), '
        'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false)',
        Reason.CONFIG_ERROR,
        "Pod Security restricted of this namespace refuses the pod: “host namespaces",
        "user",
    ),
    (
        "LimitRange",
        f"{FORBIDDEN}[maximum memory usage per Container is 1Gi, but limit is 2Gi]",
        Reason.CONFIG_ERROR,
        "LimitRange of this namespace refuses the pod: “maximum memory usage per Container is 1Gi, but limit is 2Gi”",
        "user",
    ),
    (
        "no service account",
        f'{FORBIDDEN}error looking up service account ns/runner: serviceaccount "runner" not found',
        Reason.CONFIG_ERROR,
        "ServiceAccount runner is missing in this namespace: create it",
        "user",
    ),
    (
        "no priority class",
        f"{FORBIDDEN}no PriorityClass with name high was found",
        Reason.CONFIG_ERROR,
        "PriorityClass high does not exist",
        "user",
    ),
    (
        "a webhook refuses",
        'admission webhook "images.example" denied the request: image is not signed',
        Reason.CONFIG_ERROR,
        'admission webhook "images.example" refuses the pod: “image is not signed”',
        "user",
    ),
    (
        "a policy refuses",
        f"{FORBIDDEN}ValidatingAdmissionPolicy 'limits' with binding 'all' denied request: no limit of cpu",
        Reason.CONFIG_ERROR,
        "ValidatingAdmissionPolicy 'limits' refuses the pod: “no limit of cpu”",
        "user",
    ),
    (
        "a webhook is silent",
        'Internal error occurred: failed calling webhook "mesh.example": connection refused',
        Reason.INTERNAL_ERROR,
        "admission webhook mesh.example does not answer: “connection refused”",
        "world",
    ),
    (
        "something new",
        f"{FORBIDDEN}the moon is full",
        Reason.CONFIG_ERROR,
        "pod: “the moon is full”",
        "user",
    ),
]
