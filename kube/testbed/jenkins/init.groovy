// Runs at each start of Jenkins: one user, whose password is a file, nothing for others, and one job. Only classes of Jenkins itself.
import hudson.model.FreeStyleProject
import hudson.security.FullControlOnceLoggedInAuthorizationStrategy
import hudson.security.HudsonPrivateSecurityRealm
import hudson.tasks.Shell
import jenkins.model.Jenkins

def jenkins = Jenkins.get()

def users = new HudsonPrivateSecurityRealm(false)
users.createAccount('admin', new File('/etc/jenkins-password/password').text.trim())
jenkins.securityRealm = users
def rights = new FullControlOnceLoggedInAuthorizationStrategy()
rights.allowAnonymousRead = false
jenkins.authorizationStrategy = rights
jenkins.numExecutors = 1

if (jenkins.getItem('demo') == null) {
    def job = jenkins.createProject(FreeStyleProject, 'demo')
    job.description = 'Builds the demo, deploys it and measures it: the pipeline of the testbed.'
    job.concurrentBuild = false
    job.buildersList.add(new Shell('exec /opt/pipeline/run-pipeline.sh'))
    job.save()
}
jenkins.save()
